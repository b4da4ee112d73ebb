# A process beside the daemon in its service, as ffmpeg or the ONNX Runtime worker is, takes all memory that the service may have: the kernel ends that one, and the service goes on.
pid=$(main_pid)
systemctl set-property --runtime edgesparsed MemoryHigh=infinity MemoryMax=160M MemorySwapMax=0
greedy() {
	local status
	sh -c 'echo $$ >/sys/fs/cgroup/system.slice/edgesparsed.service/cgroup.procs && exec tail /dev/zero' 2>/dev/null
	status=$?
	echo "the other process ended with $status, $(journalctl -k -n 50 -o cat --no-pager | grep -m 1 -oE 'Memory cgroup out of memory: Killed process [0-9]+ \([a-z]+\)')"
	[ $status = 137 ]
}
check "memory: the kernel ends a process of the service that takes too much" greedy
same_daemon() { ready && [ "$(main_pid)" = "$pid" ] && active; }
sleep 2
check "memory: the daemon is the same, and ready" until_true 20 same_daemon
systemctl set-property --runtime edgesparsed MemoryHigh=768M MemoryMax=1G
