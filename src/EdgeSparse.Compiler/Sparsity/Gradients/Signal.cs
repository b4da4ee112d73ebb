namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>A value of the network for one picture, and the loss's derivative by it; <see cref="Gradient"/> is null where nothing trained lies before the value.</summary>
internal sealed class Signal(float[] value, bool hasGradient)
{
    public float[] Value { get; } = value;

    public float[]? Gradient { get; } = hasGradient ? new float[value.Length] : null;
}

/// <summary>One operator of the network. <see cref="Backward"/> follows <see cref="Forward"/> of the same picture, and adds to the gradients of the inputs.</summary>
internal abstract class GradientOperator
{
    public abstract void Forward();

    public abstract void Backward();
}
