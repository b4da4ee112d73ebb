using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>Open files handed to another process over a Unix socket (SCM_RIGHTS), with one byte that goes with them. Layouts are those of 64-bit Linux.</summary>
internal static unsafe partial class DescriptorPassing
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int Rights = 1; // SCM_RIGHTS
    private const int CloseOnExec = 0x40000000; // MSG_CMSG_CLOEXEC
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL
    private const int Interrupted = 4; // EINTR
    private const int MaximumFiles = 4;

    /// <summary>False where the other side is gone.</summary>
    public static bool Send(Socket socket, params ReadOnlySpan<SafeFileHandle> files)
    {
        Control control = default;
        control.Length = (nuint)(sizeof(ControlHeader) + files.Length * sizeof(int));
        (control.Level, control.Type) = (SocketLevel, Rights);
        for (int i = 0; i < files.Length; i++) control.Files[i] = (int)files[i].DangerousGetHandle();
        byte one = 1;
        var part = new IoVector { Base = &one, Length = 1 };
        var message = new Message { Parts = &part, PartCount = 1, Control = &control, ControlLength = (nuint)(sizeof(ControlHeader) + (files.Length * sizeof(int) + 7 & -8)) };
        while (true)
        {
            nint sent = SendMessage((int)socket.Handle, &message, NoSignal);
            if (sent == 1) return true;
            if (Marshal.GetLastPInvokeError() != Interrupted) return false;
        }
    }

    /// <summary>The files that the other side hands over; fewer than asked for where it is gone.</summary>
    public static SafeFileHandle[] Receive(Socket socket, int count)
    {
        Control control = default;
        byte one;
        var part = new IoVector { Base = &one, Length = 1 };
        var message = new Message { Parts = &part, PartCount = 1, Control = &control, ControlLength = (nuint)sizeof(Control) };
        nint received;
        do received = ReceiveMessage((int)socket.Handle, &message, CloseOnExec);
        while (received < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (received != 1 || control.Level != SocketLevel || control.Type != Rights) return [];
        int files = Math.Min((int)(control.Length - (nuint)sizeof(ControlHeader)) / sizeof(int), count);
        var handles = new SafeFileHandle[files];
        for (int i = 0; i < files; i++) handles[i] = new SafeFileHandle(control.Files[i], ownsHandle: true);
        return handles;
    }

    /// <summary>sendmsg(2).</summary>
    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, Message* message, int flags);

    /// <summary>recvmsg(2).</summary>
    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int socket, Message* message, int flags);

    /// <summary>struct cmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

    /// <summary>A struct cmsghdr and the descriptors behind it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Control
    {
        public nuint Length;
        public int Level;
        public int Type;
        public fixed int Files[MaximumFiles];
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Parts;
        public nuint PartCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
