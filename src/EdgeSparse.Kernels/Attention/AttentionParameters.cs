namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// y[b,h,t,:] = Σ_s softmax_s(scale · q[b,h,t,:]·k[b,h,s,:] + mask[b,h,t,s]) · v[b,h,s,:]. A mask of −∞ excludes a key; a row that excludes all keys gives NaN, as in ONNX.
/// The vectors of one token are contiguous; every other axis has a stride in elements, so heads may stay interleaved in [tokens, heads · size].
/// The caller sets the first part, Prepare checks it and derives the second.
/// </summary>
public struct AttentionParameters
{
    public int Batch;
    public int Heads;
    public int Queries;
    public int Keys;
    /// <summary>Length of a query and a key vector.</summary>
    public int HeadSize;
    /// <summary>Length of a value and a result vector.</summary>
    public int ValueSize;
    public float Scale;
    public long QueryBatchStride;
    public long QueryHeadStride;
    public long QueryTokenStride;
    public long KeyBatchStride;
    public long KeyHeadStride;
    public long KeyTokenStride;
    public long ValueBatchStride;
    public long ValueHeadStride;
    public long ValueTokenStride;
    public long OutputBatchStride;
    public long OutputHeadStride;
    public long OutputTokenStride;
    /// <summary>Mask strides; 0 broadcasts that axis. Without a mask they are not read.</summary>
    public long MaskBatchStride;
    public long MaskHeadStride;
    public long MaskQueryStride;
    /// <summary>0 or 1.</summary>
    public long MaskKeyStride;
    /// <summary>Workers that share the tasks; shapes the split, never the result's bits. 0 means 1.</summary>
    public int Threads;
    public InstructionSet Isa;
    /// <summary>Groups of the <see cref="AttentionPattern"/> that Run is given; 0: every query sees every key.</summary>
    public int Groups;
    /// <summary>Words from one picture's list of groups to the next; 0: all share one.</summary>
    public long PatternBatchStride;
    /// <summary>Words from one head's list of groups to the next; 0: all share one.</summary>
    public long PatternHeadStride;
    /// <summary>1: keys that the mask excludes for all queries of a strip are left out; the result is the same.</summary>
    public int SkipMasked;
    /// <summary>Blocks of keys whose weights all stay below this share of the largest weight are left out; 0: none.</summary>
    public float SkipThreshold;

    /// <summary>Derived: ln <see cref="SkipThreshold"/>.</summary>
    public float LogThreshold;

    /// <summary>Derived: independent pieces of work.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch each worker needs during Run, 64-byte aligned.</summary>
    public long ScratchBytes;
    /// <summary>Derived: queries, or groups, of one task.</summary>
    public int TileQueries;
    /// <summary>Derived: tiles that cover all queries, or groups, of one head.</summary>
    public int QueryTiles;
    /// <summary>Derived: keys of one block of the online softmax.</summary>
    public int TileKeys;

    /// <summary>Contiguous [batch, heads, tokens, size] tensors without a mask.</summary>
    public static AttentionParameters Create(int batch, int heads, int queries, int keys, int headSize, int valueSize, float scale) => new()
    {
        Batch = batch,
        Heads = heads,
        Queries = queries,
        Keys = keys,
        HeadSize = headSize,
        ValueSize = valueSize,
        Scale = scale,
        QueryBatchStride = (long)heads * queries * headSize,
        QueryHeadStride = (long)queries * headSize,
        QueryTokenStride = headSize,
        KeyBatchStride = (long)heads * keys * headSize,
        KeyHeadStride = (long)keys * headSize,
        KeyTokenStride = headSize,
        ValueBatchStride = (long)heads * keys * valueSize,
        ValueHeadStride = (long)keys * valueSize,
        ValueTokenStride = valueSize,
        OutputBatchStride = (long)heads * queries * valueSize,
        OutputHeadStride = (long)queries * valueSize,
        OutputTokenStride = valueSize,
    };
}
