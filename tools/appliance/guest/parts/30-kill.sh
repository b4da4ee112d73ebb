# The daemon is killed.
for round in 1 2 3; do
	last=$(local_sub -t 'edgesparse/appliance/cameras/front/classifications' -C 2 -W 30 | tail -n 1 | seq_of)
	# Durable within 100 ms; then it must arrive whatever happens.
	sleep 1
	say "acknowledged front $last"
	pid=$(main_pid)
	kill -9 "$pid"
	back() { [ "$(main_pid)" != "$pid" ] && [ "$(main_pid)" != 0 ] && ready; }
	check "kill -9 $round: ready again (result $last was acknowledged)" until_true 60 back
done
