using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.ConvolutionTranspose;

public static unsafe partial class ConvolutionTransposeF32
{
    /// <summary>
    /// The definition: y[n,m,oy,ox] = activation(bias[m] + Σ x[n,c,iy,ix]·w[c,m,ky,kx] over all (iy, ky), (ix, kx) with
    /// oy = iy·stride − pad + ky·dilation). Double accumulation.
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
                        for (int ky = 0; ky < p->KernelHeight; ky++)
                        {
                            int fromY = oy + p->PadTop - ky * p->DilationHeight;
                            if (fromY < 0 || fromY % p->StrideHeight != 0 || fromY / p->StrideHeight >= p->InputHeight) continue;
                            for (int kx = 0; kx < p->KernelWidth; kx++)
                            {
                                int fromX = ox + p->PadLeft - kx * p->DilationWidth;
                                if (fromX < 0 || fromX % p->StrideWidth != 0 || fromX / p->StrideWidth >= p->InputWidth) continue;
                                for (int c = 0; c < groupInputs; c++)
                                {
                                    long channel = (long)(m / groupOutputs) * groupInputs + c;
                                    sum += (double)x[((n * p->InputChannels + channel) * p->InputHeight + fromY / p->StrideHeight) * p->InputWidth + fromX / p->StrideWidth]
                                        * weights[((channel * groupOutputs + m % groupOutputs) * p->KernelHeight + ky) * p->KernelWidth + kx];
                                }
                            }
                        }
                        long at = (((long)n * p->OutputChannels + m) * p->OutputHeight + oy) * p->OutputWidth + ox;
                        if (residual != null) sum += residual[at];
                        y[at] = ActivationReference.Apply((float)sum, in p->Activation);
                    }
    }
}
