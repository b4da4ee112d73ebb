// Cases check FILE     the cases of the arm64 check
// Cases counts FILE    the shapes whose instructions are counted
//
// Writes cases for harness.c: prepared parameters (instruction set AdvSimd), inputs, packed weights and expected results.
using EdgeSparse.Arm64;

if (args is not ["check" or "counts", string path])
{
    Console.Error.WriteLine("usage: Cases check|counts FILE");
    return 64;
}
using var file = new CaseFile(path);
if (args[0] == "check")
{
    ProductCases.Write(file);
    OperatorCases.Write(file);
}
else CountCases.Write(file);
Console.WriteLine($"{file.Count} cases");
return 0;
