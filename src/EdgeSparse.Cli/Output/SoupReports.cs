namespace EdgeSparse.Cli.Output;

/// <summary>One of the models averaged: its share, and how far its weights lie from the average, √(Σ|a − s|² / Σs²).</summary>
internal sealed record SoupIngredient(string Model, double Share, double Distance);

internal sealed record SoupReport(
    string Schema, string Output, long OutputBytes, SoupIngredient[] Models, int Tensors, long Parameters, long Zeros, LayerSparsityReport[] Sparsity, string? Summary, string[] Notes);
