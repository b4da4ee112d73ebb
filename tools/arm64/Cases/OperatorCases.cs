using EdgeSparse.Kernels;
using EdgeSparse.Kernels.DataMovement;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Normalization;
using EdgeSparse.Kernels.Pooling;
using EdgeSparse.Kernels.Reduction;
using EdgeSparse.Kernels.Resizing;
using EdgeSparse.Kernels.Tokens;

namespace EdgeSparse.Arm64;

/// <summary>
/// Everything but the products. Element-wise functions are held against their definition in double precision. For the others the expected values come from the portable kernel run here
/// by the .NET runtime, which the unit tests hold against double precision.
/// </summary>
internal static unsafe class OperatorCases
{
    private const InstructionSet Isa = InstructionSet.AdvSimd;

    public static void Write(CaseFile file)
    {
        Unaries(file);
        Binaries(file);
        Movement(file);
        Pools(file);
        Normalizations(file);
        Reductions(file);
        Resizes(file);
        Tokens(file);
    }

    private static void Tokens(CaseFile file)
    {
        foreach (int tokens in new[] { 2, 17, 41 })
        {
            foreach (int size in new[] { 3, 32, 45 })
            {
                var vectors = new TokenVectors { Width = 3 * size + 2, Offset = 1, Heads = 3, HeadSize = size, HeadStride = size };
                Tensor rows = Tensor.Input(Data.Make(1, tokens * vectors.Width)), x = Tensor.Input(Data.Make(2, tokens * size)), sizes = Tensor.Input(Data.Make(3, tokens).Select(v => 1 + MathF.Abs(v)).ToArray());
                string shape = $"[{tokens},{size}]";
                var keys = new TokenKeysParameters { Isa = Isa, Batch = 1, Tokens = tokens, Rows = tokens, Vectors = vectors, Alternate = true };
                TokenKeys.Prepare(ref keys);
                Host(file, Operation.TokenKeys, $"TokenKeys · {shape}", keys, keys.TaskCount, 0, 2e-5, tokens * size * 4, rows);

                var match = new TokenMatchParameters { Isa = Isa, Batch = 1, Tokens = tokens, Protected = 1, Merges = (tokens - 1) / 3 };
                TokenMatch.Prepare(ref match);
                float[] similarities = Data.Make(4 + size, match.SetA * match.SetB).Select(v => MathF.Round(v * 50)).ToArray();
                Host(file, Operation.TokenMatch, $"TokenMatch · {shape}", match, 1, match.ScratchBytes, -1, tokens * 4, Tensor.Input(similarities), Tensor.Input(tokens));

                int kept = 1 + tokens / 2;
                Tensor map = Tensor.Input(Enumerable.Range(0, tokens).Select(i => i % (kept + 1) - 1).ToArray());
                var compress = new TokenCompressParameters { Isa = Isa, Batch = 1, Tokens = tokens, Kept = kept, Channels = size };
                TokenCompress.Prepare(ref compress);
                Host(file, Operation.TokenCompress, $"TokenCompress · {shape}", compress, compress.TaskCount, Dispatch.CompressScratch + compress.ScratchBytes, 2e-6, kept * size * 4, x, map, sizes);

                var mean = new TokenMeanParameters { Isa = Isa, Batch = 1, Tokens = tokens, Channels = size, Skip = 1 };
                TokenMean.Prepare(ref mean);
                Host(file, Operation.TokenMean, $"TokenMean · {shape}", mean, mean.TaskCount, 0, 2e-6, size * 4, x, sizes);

                var score = new TokenScoreParameters { Isa = Isa, Batch = 1, Tokens = tokens, Keys = vectors, Queries = vectors, Scale = 0.3f };
                TokenScore.Prepare(ref score);
                Host(file, Operation.TokenScore, $"TokenScore · {shape}", score, 1, score.ScratchBytes, 4e-6, tokens * 4, rows, rows, sizes);

                var assign = new TokenAssignParameters { Isa = Isa, Batch = 1, Tokens = tokens, Protected = 1, Clusters = kept, Channels = size };
                TokenAssign.Prepare(ref assign);
                Host(file, Operation.TokenAssign, $"TokenAssign · {shape}", assign, 1, assign.ScratchBytes, -1, tokens * 4, Tensor.Input(Data.Make(5, tokens * kept)), Tensor.Input(Data.Make(6, kept * size)), x);

                var affinity = new TokenAffinityParameters { Isa = Isa, Batch = 1, Tokens = tokens, Protected = 1, Kept = kept, Temperature = 0.2f };
                TokenAffinity.Prepare(ref affinity);
                Tensor selection = Tensor.Input(Enumerable.Range(0, tokens).Select(i => i < kept ? i : -1).ToArray());
                Host(file, Operation.TokenAffinity, $"TokenAffinity · {shape}", affinity, 1, 2 * Dispatch.AffinityScratch + affinity.ScratchBytes, 2e-5, kept * tokens * 4, Tensor.Input(Data.Make(7, tokens * tokens)), selection, sizes);
            }
        }
    }

    private static void Unaries(CaseFile file)
    {
        // One length for the loop with an overlapping tail, one below a vector.
        foreach (UnaryFunction function in Enum.GetValues<UnaryFunction>())
        {
            if (function is UnaryFunction.Not or UnaryFunction.BitwiseNot or UnaryFunction.IsNaN or UnaryFunction.IsInfinity) continue;
            foreach (int count in new[] { 3, 259 })
            {
                double alpha = function is UnaryFunction.Clip ? -1 : 0.75, beta = function is UnaryFunction.Clip ? 2 : 0.5;
                float[] x = Data.Make(1, count);
                for (int i = 0; i < count; i++)
                {
                    x[i] = function switch
                    {
                        UnaryFunction.Acos or UnaryFunction.Asin or UnaryFunction.Atanh => x[i],
                        UnaryFunction.Acosh => 2 + x[i],
                        UnaryFunction.Log or UnaryFunction.Sqrt => (x[i] + 1.001f) * 50,
                        UnaryFunction.Tan => x[i] * 1.4f,
                        _ => x[i] * 12,
                    };
                }
                var p = new UnaryParameters { Function = function, Type = ScalarType.Float32, Isa = Isa, Alpha = alpha, Beta = beta, Count = count };
                Unary.Prepare(ref p);
                float[] expected = x.Select(v => (float)Unary.Evaluate(function, v, alpha, beta)).ToArray();
                file.Add(Operation.Unary, $"Unary · {function} {(count < 4 ? "short" : "long")}", p, p.TaskCount, 0, Tensor.Input(x), Tensor.Result(expected, Allowed(expected, x, 2.5e-6)));
            }
        }
        foreach (ActivationKind kind in Enum.GetValues<ActivationKind>())
        {
            float[] x = Data.Make(2, 77).Select(v => v * 8).ToArray();
            var activation = new Activation { Kind = kind, Alpha = 0.25f, Beta = 0.75f };
            float[] expected = x.Select(v => Kernels.MatMul.ActivationReference.Apply(v, activation)).ToArray();
            file.Add(Operation.ActivationPass, $"ActivationPass · {kind}", new UnaryParameters { Count = 77 }, 1, 0,
                Tensor.Input(activation), Tensor.InPlace(x, expected, Allowed(expected, x, 2.5e-6)));
        }
        foreach (var (from, to) in new[] { (ScalarType.Float32, ScalarType.Int32), (ScalarType.Int32, ScalarType.Float32), (ScalarType.UInt8, ScalarType.Float32), (ScalarType.Float32, ScalarType.Float16), (ScalarType.Int64, ScalarType.Float32) })
        {
            var p = new CastParameters { From = from, To = to, Isa = Isa, Count = 37 };
            Cast.Prepare(ref p);
            byte[] x = from == ScalarType.Float32 ? Bytes(Data.Make(3, 37).Select(v => v * 1000).ToArray()) : Bytes(Enumerable.Range(0, 37 * from.SizeBytes()).Select(i => (byte)(i * 7 % 60)).ToArray());
            Host(file, Operation.Cast, $"Cast · {from} to {to}", p, p.TaskCount, 0, -1, 37L * to.SizeBytes(), Tensor.Input(x));
        }
    }

    private static void Binaries(CaseFile file)
    {
        (long[] A, long[] B)[] shapes = [([5, 7], [5, 7]), ([37], [1]), ([1], [37]), ([3, 4, 5], [3, 1, 1]), ([6, 19], [19]), ([2, 1, 3, 1], [4, 1, 17])];
        foreach (BinaryFunction function in Enum.GetValues<BinaryFunction>().Where(f => Binary.IsDefined(f, ScalarType.Float32)))
        {
            foreach (var (a, b) in shapes)
            {
                var p = new BinaryParameters { Function = function, Type = ScalarType.Float32, Isa = Isa, RankA = a.Length, RankB = b.Length };
                for (int i = 0; i < a.Length; i++) p.ShapeA[i] = a[i];
                for (int i = 0; i < b.Length; i++) p.ShapeB[i] = b[i];
                if (function <= BinaryFunction.Divide) p.Activation = Activation.Relu;
                Binary.Prepare(ref p);
                float[] x = Data.Make(1, (int)Count(a)).Select(v => MathF.Round(v * 8) / 4 + (function == BinaryFunction.Power ? 3 : 0)).ToArray();
                float[] y = Data.Make(2, (int)Count(b)).Select(v => MathF.Round(v * 8) / 4 + 2.125f).ToArray();
                bool comparison = Binary.IsComparison(function);
                Host(file, Operation.Binary, $"Binary · {function} [{string.Join(',', a)}] [{string.Join(',', b)}]", p, p.TaskCount, 0, comparison ? -1 : 1e-6, p.Plan.Count * (comparison ? 1 : 4), Tensor.Input(x), Tensor.Input(y));
            }
        }
        foreach (int bytes in new[] { 1, 2, 4, 8 })
        {
            var p = new WhereParameters { ElementBytes = bytes, Isa = Isa, RankCondition = 1, RankX = 2, RankY = 1 };
            p.ShapeCondition[0] = 19;
            p.ShapeX[0] = 3;
            p.ShapeX[1] = 19;
            p.ShapeY[0] = 1;
            Where.Prepare(ref p);
            Host(file, Operation.Where, $"Where · {bytes} bytes", p, p.TaskCount, 0, -1, 57 * bytes, Tensor.Input(Enumerable.Range(0, 19).Select(i => (byte)(i % 3 == 0 ? 1 : 0)).ToArray()), Numbers(57 * bytes), Numbers(bytes));
        }
    }

    private static void Movement(CaseFile file)
    {
        (long[] Shape, int[] Permutation)[] transposes = [([7, 5], [1, 0]), ([33, 65], [1, 0]), ([3, 16, 24], [0, 2, 1]), ([2, 3, 4, 5], [0, 2, 3, 1]), ([2, 9, 3, 20], [0, 2, 1, 3]), ([2, 3, 4, 5, 6], [4, 2, 0, 1, 3])];
        foreach (int bytes in new[] { 1, 2, 4, 8 })
        {
            foreach (var (shape, permutation) in transposes)
            {
                var p = new StridedCopyParameters { ElementBytes = bytes, Isa = Isa };
                StridedCopy.PrepareTranspose(ref p, shape, permutation);
                Copy(file, $"Transpose [{string.Join(',', shape)}] {bytes} bytes", p, Count(shape));
            }
            var s = new StridedCopyParameters { ElementBytes = bytes, Isa = Isa };
            StridedCopy.PrepareSlice(ref s, [6, 20], [5, 1], [-2, 3], [3, 6]);
            Copy(file, $"Slice {bytes} bytes", s, 120);
            StridedCopy.PrepareExpand(ref s, [3, 1], [2, 3, 19]);
            Copy(file, $"Expand {bytes} bytes", s, 3);
            StridedCopy.PrepareTile(ref s, [3, 5], [2, 3]);
            Copy(file, $"Tile {bytes} bytes", s, 15);
            StridedCopy.PrepareDepthToSpace(ref s, [1, 12, 3, 5], 2, columnRowDepth: false);
            Copy(file, $"DepthToSpace {bytes} bytes", s, 180);
        }
        BlockCopyParameters block = default;
        BlockCopy.PrepareSplit(ref block, [3, 10, 7], 1, 2, 5, 4);
        Host(file, Operation.BlockCopy, "BlockCopy · Split", block, block.TaskCount, 0, -1, 3 * 5 * 7 * 4, Numbers(840));
        var gather = new GatherParameters { Outer = 3, AxisSize = 6, SliceBytes = 20, IndexCount = 4, IndexType = ScalarType.Int64 };
        Gather.Prepare(ref gather);
        Host(file, Operation.Gather, "Gather · rows", gather, gather.TaskCount, 0, -1, 3 * 4 * 20, Numbers(3 * 6 * 20), Tensor.Input(0L, -1L, 9L, 3L));
        foreach (PadMode mode in Enum.GetValues<PadMode>())
        {
            var p = new PadParameters { Type = ScalarType.Float32, Mode = mode, Isa = Isa, Rank = 2, Value = -3 };
            p.Shape[0] = 4;
            p.Shape[1] = 9;
            p.Before[0] = 2;
            p.Before[1] = 3;
            p.After[0] = 1;
            p.After[1] = 5;
            Pad.Prepare(ref p);
            Host(file, Operation.Pad, $"Pad · {mode}", p, p.TaskCount, 0, -1, 7 * 17 * 4, Tensor.Input(Data.Make(1, 36)));
        }
    }

    private static void Copy(CaseFile file, string name, StridedCopyParameters p, long sourceCount) =>
        Host(file, Operation.StridedCopy, $"StridedCopy · {name}", p, p.TaskCount, 0, -1, p.Count * p.ElementBytes, Numbers(sourceCount * p.ElementBytes));

    private static void Pools(CaseFile file)
    {
        foreach (PoolingKind kind in Enum.GetValues<PoolingKind>())
        {
            foreach (var (name, height, width, kernel, stride, dilation, pad) in new[] { ("3x3 stride 2", 13, 22, 3, 2, 1, 1), ("2x2", 8, 33, 2, 2, 1, 0), ("5x5", 9, 9, 5, 1, 1, 2), ("3x3 dilated", 10, 11, 3, 3, 2, 0), ("narrow", 7, 3, 3, 1, 1, 1) })
            {
                var p = new PoolingParameters
                {
                    Kind = kind, Isa = Isa, Planes = 3, Height = height, Width = width, KernelHeight = kernel, KernelWidth = kernel, StrideHeight = stride, StrideWidth = stride, DilationHeight = dilation,
                    DilationWidth = dilation, PadTop = pad, PadLeft = pad, PadBottom = pad, PadRight = pad, P = 2,
                    OutputHeight = Pool.OutputSize(height, kernel, stride, dilation, pad, pad, ceil: false), OutputWidth = Pool.OutputSize(width, kernel, stride, dilation, pad, pad, ceil: false),
                };
                Pool.Prepare(ref p);
                Host(file, Operation.Pool, $"Pool · {kind} {name}", p, p.TaskCount, p.ScratchBytes, 2e-6, 3L * p.OutputHeight * p.OutputWidth * 4, Tensor.Input(Data.Make(1, 3 * height * width)));
            }
            foreach (int size in new[] { 1, 3, 16, 49, 196 })
            {
                var p = new GlobalPoolingParameters { Kind = kind, Isa = Isa, Planes = 5, PlaneSize = size, P = 2 };
                GlobalPool.Prepare(ref p);
                Host(file, Operation.GlobalPool, $"GlobalPool · {kind} {size}", p, p.TaskCount, 0, 4e-6, 20, Tensor.Input(Data.Make(1, 5 * size)));
            }
        }
    }

    private static void Normalizations(CaseFile file)
    {
        foreach (var (axis, inner) in new[] { (1, 1), (3, 1), (37, 1), (197, 1), (5, 3), (7, 4), (12, 33), (10, 300) })
        {
            int count = 2 * axis * inner;
            Tensor x = Tensor.Input(Data.Make(1, count).Select(v => v * 4).ToArray());
            foreach (SoftmaxKind kind in Enum.GetValues<SoftmaxKind>())
            {
                var p = new SoftmaxParameters { Kind = kind, Isa = Isa, Outer = 2, AxisSize = axis, Inner = inner };
                Softmax.Prepare(ref p);
                Host(file, Operation.Softmax, $"Softmax · {kind} [2,{axis},{inner}]", p, p.TaskCount, p.ScratchBytes, 4e-6, count * 4, x);
            }
            foreach (bool rootMeanSquare in new[] { false, true })
            {
                var p = new LayerNormalizationParameters { RootMeanSquare = rootMeanSquare, Isa = Isa, Outer = 2, Size = axis, Inner = inner, Epsilon = 1e-3f, HasScale = true, HasBias = !rootMeanSquare };
                LayerNormalization.Prepare(ref p);
                Host(file, Operation.LayerNormalization, $"LayerNormalization · {(rootMeanSquare ? "rms " : "")}[2,{axis},{inner}]", p, p.TaskCount, p.ScratchBytes, 4e-5, count * 4, x, Tensor.Input(Data.Make(2, axis)), Tensor.Input(Data.Make(3, axis)));
            }
            var lp = new LpNormalizationParameters { Isa = Isa, Outer = 2, AxisSize = axis, Inner = inner, P = 2 };
            LpNormalization.Prepare(ref lp);
            Host(file, Operation.LpNormalization, $"LpNormalization · [2,{axis},{inner}]", lp, lp.TaskCount, lp.ScratchBytes, 2e-6, count * 4, x);
        }
        foreach (int size in new[] { 1, 7, 33 })
        {
            Tensor x = Tensor.Input(Data.Make(1, 12 * size)), scale = Tensor.Input(Data.Make(2, 6)), bias = Tensor.Input(Data.Make(3, 6));
            var group = new GroupNormalizationParameters { Isa = Isa, Batch = 2, Channels = 6, Size = size, Groups = 2, Epsilon = 1e-3f };
            GroupNormalization.Prepare(ref group);
            Host(file, Operation.GroupNormalization, $"GroupNormalization · size {size}", group, group.TaskCount, 0, 4e-5, 12 * size * 4, x, scale, bias);
            var batch = new BatchNormalizationParameters { Isa = Isa, Batch = 2, Channels = 6, Size = size, Epsilon = 1e-3f, Activation = Activation.Relu };
            BatchNormalization.Prepare(ref batch);
            Host(file, Operation.BatchNormalization, $"BatchNormalization · size {size}", batch, batch.TaskCount, 0, 4e-5, 12 * size * 4, x, scale, bias, Tensor.Input(Data.Make(4, 6)), Tensor.Input(Data.Absolute(Data.Make(5, 6))));
            var lrn = new LocalResponseNormalizationParameters { Isa = Isa, Batch = 2, Channels = 6, Pixels = size, Size = 5, Alpha = 0.1f, Beta = 0.75f, Bias = 1 };
            LocalResponseNormalization.Prepare(ref lrn);
            Host(file, Operation.LocalResponseNormalization, $"LocalResponseNormalization · {size} pixels", lrn, lrn.TaskCount, 0, 4e-6, 12 * size * 4, x);
        }
    }

    private static void Reductions(CaseFile file)
    {
        (long[] Shape, int Mask, int Results)[] cases = [([37], 1, 1), ([5, 19], 2, 5), ([5, 19], 1, 19), ([3, 4, 5, 6], 0b0101, 24), ([3, 4, 5, 6], 0b1010, 15), ([2, 3, 100], 1, 300)];
        foreach (ReduceFunction function in Enum.GetValues<ReduceFunction>())
        {
            foreach (var (shape, mask, results) in cases)
            {
                var p = new ReduceParameters { Function = function, Type = ScalarType.Float32, Isa = Isa, Rank = shape.Length, AxesMask = mask };
                for (int i = 0; i < shape.Length; i++) p.Shape[i] = shape[i];
                Reduce.Prepare(ref p);
                float[] x = Data.Make(1, (int)Count(shape)).Select(v => function == ReduceFunction.LogSum ? v + 1.5f : v).ToArray();
                Host(file, Operation.Reduce, $"Reduce · {function} [{string.Join(',', shape)}] axes {mask:b}", p, p.TaskCount, p.ScratchBytes, 2e-5, results * 4, Tensor.Input(x));
            }
        }
        foreach (var (axis, inner) in new[] { (37, 1), (5, 3), (21, 40) })
        {
            float[] x = Data.Make(1, 2 * axis * inner).Select(v => MathF.Round(v * 5)).ToArray();
            foreach (bool minimum in new[] { false, true })
            {
                var arg = new ArgReduceParameters { Minimum = minimum, Type = ScalarType.Float32, Isa = Isa, Outer = 2, AxisSize = axis, Inner = inner };
                ArgReduce.Prepare(ref arg);
                Host(file, Operation.ArgReduce, $"ArgReduce · {(minimum ? "min" : "max")} [2,{axis},{inner}]", arg, arg.TaskCount, 0, -1, 2 * inner * 8, Tensor.Input(x));
            }
            var sum = new CumulativeSumParameters { Type = ScalarType.Float32, Isa = Isa, Outer = 2, AxisSize = axis, Inner = inner };
            CumulativeSum.Prepare(ref sum);
            Host(file, Operation.CumulativeSum, $"CumulativeSum · [2,{axis},{inner}]", sum, sum.TaskCount, 0, -1, x.Length * 4, Tensor.Input(x));
        }
    }

    private static void Resizes(CaseFile file)
    {
        foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
        {
            foreach (ResizeCoordinates coordinates in Enum.GetValues<ResizeCoordinates>())
            {
                foreach (var (shape, result) in new (long[], long[])[] { ([2, 5, 7], [2, 10, 14]), ([2, 6, 19], [2, 4, 33]), ([3, 4, 5], [6, 4, 10]) })
                {
                    var p = new ResizeParameters { Mode = mode, Coordinates = coordinates, Type = ScalarType.Float32, Isa = Isa, Rank = 3, CubicA = -0.75, ExtrapolationValue = 2 };
                    for (int axis = 0; axis < 3; axis++)
                    {
                        p.Shape[axis] = shape[axis];
                        p.ResultShape[axis] = result[axis];
                        p.Scales[axis] = result[axis] / (double)shape[axis];
                        p.RoiEnd[axis] = axis == 2 ? 1.25 : 1;
                    }
                    Resize.Prepare(ref p);
                    Host(file, Operation.Resize, $"Resize · {mode} {coordinates} [{string.Join(',', result)}]", p, p.TaskCount, p.ScratchBytes, mode == ResizeMode.Nearest ? -1 : 2e-6, Count(result) * 4, Tensor.Input(Data.Make(1, (int)Count(shape))));
                }
            }
        }
    }

    /// <summary>Runs the case here and records it with its result. A negative tolerance means bit for bit, else the result is float32 with that error relative to max(1, |value|).</summary>
    private static void Host<T>(CaseFile file, Operation operation, string name, T parameters, int taskCount, long scratchBytes, double tolerance, long resultBytes, params Tensor[] inputs) where T : unmanaged
    {
        var result = new byte[resultBytes];
        var scratch = new byte[scratchBytes + 64];
        byte** buffers = stackalloc byte*[CaseFile.BufferCount];
        var handles = new List<System.Runtime.InteropServices.GCHandle>();
        for (int i = 0; i < CaseFile.BufferCount; i++)
        {
            byte[]? content = i < inputs.Length ? inputs[i].Content : i == inputs.Length ? result : null;
            if (content == null) continue;
            var handle = System.Runtime.InteropServices.GCHandle.Alloc(content, System.Runtime.InteropServices.GCHandleType.Pinned);
            handles.Add(handle);
            buffers[i] = (byte*)handle.AddrOfPinnedObject();
        }
        fixed (byte* s = scratch) for (int task = 0; task < taskCount; task++) Dispatch.Run((int)operation, (byte*)&parameters, buffers, s, task);
        foreach (var handle in handles) handle.Free();
        float[] values = tolerance < 0 ? [] : System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(result).ToArray();
        Tensor output = tolerance < 0 ? Tensor.Exact(result) : Tensor.Result(values, Allowed(values, values, tolerance));
        file.Add(operation, name, parameters, taskCount, scratchBytes, [.. inputs, output]);
    }

    private static float[] Allowed(float[] expected, float[] x, double tolerance) => expected.Select((e, i) => (float)(tolerance * Math.Max(1, Math.Max(Math.Abs(e), Math.Abs(x[i]))))).ToArray();

    private static byte[] Bytes<T>(T[] values) where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values).ToArray();

    private static Tensor Numbers(long bytes)
    {
        var content = new byte[bytes];
        new Random(17).NextBytes(content);
        return Tensor.Input(content);
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);
}
