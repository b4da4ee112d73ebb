using System.Text;
using EdgeSparse.Devices.Spooling;

// Appends numbered records to the spool of a folder for ever and prints "sequence" once each group is durable: what has been printed must survive
// whatever happens to this process next. Records are "sequence:" and letters up to a length that varies, so that a reader can tell a whole one.
var options = new SpoolOptions { Folder = args[0], SegmentBytes = 16 << 10, MaximumBytes = 64 << 20, GroupTime = TimeSpan.FromMilliseconds(2), GroupRecords = 8 };
using var spool = new Spool(options);
long printed = spool.DurableSequence;
Console.Out.WriteLine(printed);
Console.Out.Flush();
while (true)
{
    long next = spool.LastSequence + 1;
    spool.Append(Encoding.ASCII.GetBytes($"{next}:{new string('x', (int)(next * 37 % 500))}"));
    long durable = spool.DurableSequence;
    if (durable <= printed) continue;
    printed = durable;
    Console.Out.WriteLine(printed);
    Console.Out.Flush();
    // One record in fifty waits for the disk, so that the pending memory never fills.
    if (next % 50 == 0) spool.Flush(TimeSpan.FromSeconds(10));
}
