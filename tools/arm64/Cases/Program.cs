// Cases FILE
//
// Writes the cases of the arm64 check: prepared parameters (instruction set AdvSimd), inputs, packed weights and expected results.
using EdgeSparse.Arm64;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: Cases FILE");
    return 64;
}
using var file = new CaseFile(args[0]);
ProductCases.Write(file);
OperatorCases.Write(file);
Console.WriteLine($"{file.Count} cases");
return 0;
