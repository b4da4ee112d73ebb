// PatchCoreLib IN.dll OUT.dll
//
// The x64 core library carries the Arm intrinsics as stubs that throw. Writes a copy for the arm64 code generator in which they are intrinsics:
// every type and static method of System.Runtime.Intrinsics.Arm is marked [Intrinsic] and calls itself (the form the compiler expands), the x86 sets
// report unsupported, and the linker substitutions that cut the Arm sets away are dropped.
using System.Xml.Linq;
using Mono.Cecil;
using Mono.Cecil.Cil;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: PatchCoreLib IN.dll OUT.dll");
    return 64;
}
ModuleDefinition module = ModuleDefinition.ReadModule(args[0]);
TypeDefinition attribute = module.GetType("System.Runtime.CompilerServices.IntrinsicAttribute")
    ?? throw new InvalidDataException($"{args[0]}: no IntrinsicAttribute, expected a System.Private.CoreLib");
MethodDefinition constructor = attribute.Methods.First(method => method.IsConstructor && !method.IsStatic);
int expanded = 0, disabled = 0;
foreach (TypeDefinition type in module.Types)
{
    if (type.IsEnum) continue;
    if (type.Namespace == "System.Runtime.Intrinsics.Arm" && type.IsClass) Expand(type);
    else if (type.Namespace == "System.Runtime.Intrinsics.X86") Disable(type);
}
for (int i = 0; i < module.Resources.Count; i++)
{
    if (module.Resources[i] is not EmbeddedResource resource || !resource.Name.Contains("ILLink.Substitutions", StringComparison.Ordinal)) continue;
    XDocument document = XDocument.Load(new MemoryStream(resource.GetResourceData()));
    foreach (XElement type in document.Descendants("type").Where(t => ((string?)t.Attribute("fullname") ?? "").StartsWith("System.Runtime.Intrinsics.Arm", StringComparison.Ordinal)).ToList()) type.Remove();
    var text = new MemoryStream();
    document.Save(text);
    module.Resources[i] = new EmbeddedResource(resource.Name, resource.Attributes, text.ToArray());
}
if (expanded == 0 || disabled == 0) throw new InvalidDataException($"{args[0]}: {expanded} Arm methods and {disabled} x86 sets found, expected both");
module.Write(args[1]);
Console.WriteLine($"patched core library: {expanded} Arm methods are intrinsics, {disabled} x86 sets are off");
return 0;

void Expand(TypeDefinition type)
{
    Mark(type);
    foreach (MethodDefinition method in type.Methods)
    {
        if (!method.IsStatic || !method.HasBody) continue;
        Mark(method);
        method.NoInlining = false;
        var body = new MethodBody(method);
        ILProcessor il = body.GetILProcessor();
        foreach (ParameterDefinition parameter in method.Parameters) il.Emit(OpCodes.Ldarg, parameter);
        MethodReference self = method;
        if (method.HasGenericParameters)
        {
            var generic = new GenericInstanceMethod(method);
            foreach (GenericParameter parameter in method.GenericParameters) generic.GenericArguments.Add(parameter);
            self = generic;
        }
        il.Emit(OpCodes.Call, self);
        il.Emit(OpCodes.Ret);
        method.Body = body;
        expanded++;
    }
    foreach (TypeDefinition nested in type.NestedTypes) Expand(nested);
}

void Disable(TypeDefinition type)
{
    foreach (MethodDefinition method in type.Methods.Where(method => method.Name == "get_IsSupported"))
    {
        foreach (CustomAttribute mark in method.CustomAttributes.Where(a => a.AttributeType.Name == "IntrinsicAttribute").ToList()) method.CustomAttributes.Remove(mark);
        var body = new MethodBody(method);
        ILProcessor il = body.GetILProcessor();
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ret);
        method.Body = body;
        disabled++;
    }
    foreach (TypeDefinition nested in type.NestedTypes) Disable(nested);
}

void Mark(Mono.Cecil.ICustomAttributeProvider member)
{
    if (!member.CustomAttributes.Any(a => a.AttributeType.Name == "IntrinsicAttribute")) member.CustomAttributes.Add(new CustomAttribute(constructor));
}
