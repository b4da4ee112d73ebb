namespace EdgeSparse.Runtime.Costs;

/// <summary>
/// The least time that a layer can take on a machine: its multiply-adds at the peak rate, or every operand read and every result written once at the rates of the memory
/// level that holds them all, whichever is longer (Williams, Waterman and Patterson, "Roofline", 2009).
/// </summary>
public readonly record struct Roofline(double ArithmeticNanoseconds, double MemoryNanoseconds)
{
    public double Nanoseconds => Math.Max(ArithmeticNanoseconds, MemoryNanoseconds);

    /// <param name="threads">Threads that share the layer: arithmetic and caches are theirs, main memory is one for all.</param>
    public static Roofline Of(LayerDescription layer, MachineCosts machine, int threads)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(machine);
        int cores = Math.Min(threads, Environment.ProcessorCount);
        MemoryLevel level = machine.Level(layer.BytesMoved);
        int ports = level.SizeBytes == long.MaxValue ? 1 : cores;
        double memory = (layer.BytesMoved - layer.BytesWritten) / level.LoadBytesPerNanosecond + layer.BytesWritten / level.StoreBytesPerNanosecond;
        return new Roofline(layer.EffectiveMultiplyAdds / (machine.PeakMultiplyAddsPerNanosecond * cores), memory / ports);
    }
}
