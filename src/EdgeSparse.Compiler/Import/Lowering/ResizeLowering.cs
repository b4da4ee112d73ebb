using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Resize of every operator set, and Upsample, as the one form of OPERATORS.md: a scale and an output size for each axis.</summary>
internal static class ResizeLowering
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "Resize", 10, [Numbers, Floats, Floats, Indices], Resize, "scales, sizes or regions that are not constants; linear and cubic on other types than float; tf_half_pixel_for_nn", [1, 2, 3]);
        yield return new("", "Upsample", 7, [Numbers, Floats], Upsample, "scales that are not constants", [1]);
    }

    private static void Upsample(NodeContext context)
    {
        double[] scales = context.Opset >= 9 ? NodeContext.Numbers(context.Constant(1, "scales"))
            : Array.ConvertAll(context.Floats("scales") ?? throw context.Malformed("attribute 'scales' is missing"), value => (double)value);
        Emit(context, new Form { Mode = context.Text("mode", "nearest"), Coordinates = "asymmetric", Nearest = "floor", Scales = scales });
    }

    private static void Resize(NodeContext context)
    {
        string mode = context.Text("mode", "nearest");
        if (context.Opset == 10)
        {
            Emit(context, new Form { Mode = mode, Coordinates = "asymmetric", Nearest = "floor", Scales = NodeContext.Numbers(context.Constant(1, "scales")) });
            return;
        }
        var form = new Form
        {
            Mode = mode,
            Coordinates = context.Text("coordinate_transformation_mode", "half_pixel"),
            Nearest = context.Text("nearest_mode", "round_prefer_floor"),
            CubicCoefficient = context.Number("cubic_coeff_a", -0.75),
            ExcludeOutside = context.Flag("exclude_outside"),
            Extrapolation = context.Number("extrapolation_value", 0),
            Antialias = context.Flag("antialias"),
        };
        if (form.Coordinates == "tf_half_pixel_for_nn") throw context.Refuse("coordinate_transformation_mode tf_half_pixel_for_nn, which ONNX withdrew with opset 13");
        int rank = context.Input(0).Shape.Rank;
        double[]? scales = context.OptionalConstant(2, "scales") is { Shape.ElementCount: > 0 } given ? NodeContext.Numbers(given) : null;
        long[]? sizes = context.OptionalInts(3, "sizes") is { Length: > 0 } wanted ? wanted : null;
        double[]? region = form.Coordinates == "tf_crop_and_resize" ? NodeContext.Numbers(context.Constant(1, "roi")) : null;
        if (scales is null == sizes is null) throw context.Malformed("needs either scales or sizes");
        string policy = context.Text("keep_aspect_ratio_policy", "stretch");
        if (context.Ints("axes") is { } axes)
        {
            int[] chosen = Array.ConvertAll(axes, axis => context.Axis(axis, rank));
            scales = scales is null ? null : Spread(context, chosen, scales, Enumerable.Repeat(1.0, rank).ToArray());
            sizes = sizes is null ? null : KeepAspect(context, policy, chosen, sizes);
            region = region is null ? null : SpreadRegion(context, chosen, region, rank);
        }
        else if (sizes is not null)
        {
            sizes = KeepAspect(context, policy, Enumerable.Range(0, rank).ToArray(), sizes);
        }
        form.Scales = scales;
        form.Sizes = sizes;
        form.Region = region;
        Emit(context, form);
    }

    private static T[] Spread<T>(NodeContext context, int[] axes, T[] values, T[] all)
    {
        if (values.Length != axes.Length) throw context.Malformed($"{values.Length} values for {axes.Length} axes");
        for (int i = 0; i < axes.Length; i++) all[axes[i]] = values[i];
        return all;
    }

    private static double[] SpreadRegion(NodeContext context, int[] axes, double[] region, int rank)
    {
        if (region.Length != 2 * axes.Length) throw context.Malformed($"a region of {region.Length} values for {axes.Length} axes");
        var all = new double[2 * rank];
        Array.Fill(all, 1, rank, rank);
        for (int i = 0; i < axes.Length; i++) (all[axes[i]], all[rank + axes[i]]) = (region[i], region[axes.Length + i]);
        return all;
    }

    private static long[] KeepAspect(NodeContext context, string policy, int[] axes, long[] sizes)
    {
        Shape x = context.Input(0).Shape;
        long[] all = Array.ConvertAll(x.Dimensions.ToArray(), size => (long)size);
        Spread(context, axes, sizes, all);
        if (policy == "stretch") return all;
        IEnumerable<double> ratios = axes.Select(axis => (double)all[axis] / x[axis]);
        double scale = policy switch
        {
            "not_larger" => ratios.Min(),
            "not_smaller" => ratios.Max(),
            _ => throw context.Malformed($"keep_aspect_ratio_policy is '{policy}'"),
        };
        foreach (int axis in axes) all[axis] = (long)Math.Round(scale * x[axis], MidpointRounding.AwayFromZero);
        return all;
    }

    private static void Emit(NodeContext context, Form form)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        var scales = new double[rank];
        var sizes = new long[rank];
        if ((form.Scales?.Length ?? form.Sizes!.Length) != rank) throw context.Malformed($"{form.Scales?.Length ?? form.Sizes!.Length} scales or sizes for input {x.Shape}");
        for (int i = 0; i < rank; i++)
        {
            // A region takes its part of the output; the scale stays that of the whole axis.
            double extent = form.Region is { } region ? region[rank + i] - region[i] : 1;
            scales[i] = form.Scales is not null ? form.Scales[i] : (double)form.Sizes![i] / x.Shape[i];
            sizes[i] = form.Sizes is not null ? form.Sizes[i] : (long)Math.Floor(x.Shape[i] * extent * (float)scales[i]);
        }
        context.Return(context.Emit(OperatorKind.Resize, map =>
        {
            map.Set("mode", form.Mode == "bilinear" ? "linear" : form.Mode);
            map.Set("coordinate_transformation_mode", form.Coordinates);
            map.Set("nearest_mode", form.Nearest);
            map.Set("cubic_coeff_a", form.CubicCoefficient);
            map.Set("exclude_outside", form.ExcludeOutside ? 1 : 0);
            map.Set("extrapolation_value", form.Extrapolation);
            map.Set("antialias", form.Antialias ? 1 : 0);
            map.Set("scales", scales);
            map.Set("sizes", sizes);
            if (form.Region is not null) map.Set("roi", form.Region);
        }, x));
    }

    private sealed class Form
    {
        public string Mode = "nearest";
        public string Coordinates = "half_pixel";
        public string Nearest = "round_prefer_floor";
        public double CubicCoefficient = -0.75;
        public bool ExcludeOutside;
        public double Extrapolation;
        public bool Antialias;
        public double[]? Scales;
        public long[]? Sizes;
        public double[]? Region;
    }
}
