namespace EdgeSparse.Kernels.Convolution;

public static unsafe partial class ConvolutionF32
{
    /// <summary>
    /// The definition, also of depthwise and sparse convolution: y[n,m,oy,ox] = activation(bias[m] + Σ x[n,c,iy,ix]·w[m,c,ky,kx] + residual[n,m,oy,ox]),
    /// iy = oy·stride − pad + ky·dilation; elements outside the input count as zero. Double accumulation, rounded once to float before the activation.
    /// </summary>
    public static void Reference(ConvolutionParameters* p, float* x, float* weights, float* bias, float* residual, float* y)
    {
        int groupInputs = p->GroupInputs, groupOutputs = p->GroupOutputs;
        for (int n = 0; n < p->Batch; n++)
            for (int m = 0; m < p->OutputChannels; m++)
                for (int oy = 0; oy < p->OutputHeight; oy++)
                    for (int ox = 0; ox < p->OutputWidth; ox++)
                    {
                        double sum = bias == null ? 0 : bias[m];
                        for (int c = 0; c < groupInputs; c++)
                        {
                            float* plane = x + ((long)n * p->InputChannels + (m / groupOutputs * groupInputs) + c) * p->InputPlane;
                            for (int ky = 0; ky < p->KernelHeight; ky++)
                            {
                                int iy = oy * p->StrideHeight - p->PadTop + ky * p->DilationHeight;
                                if (iy < 0 || iy >= p->InputHeight) continue;
                                for (int kx = 0; kx < p->KernelWidth; kx++)
                                {
                                    int ix = ox * p->StrideWidth - p->PadLeft + kx * p->DilationWidth;
                                    if (ix < 0 || ix >= p->InputWidth) continue;
                                    sum += (double)plane[iy * p->InputWidth + ix] * weights[(((long)m * groupInputs + c) * p->KernelHeight + ky) * p->KernelWidth + kx];
                                }
                            }
                        }
                        long at = (((long)n * p->OutputChannels + m) * p->OutputHeight + oy) * p->OutputWidth + ox;
                        if (residual != null) sum += residual[at];
                        y[at] = MatMul.ActivationReference.Apply((float)sum, in p->Activation);
                    }
    }
}
