# A process that does nothing any more.
pid=$(main_pid)
kill -STOP "$pid"
woken() { [ "$(main_pid)" != "$pid" ] && ready; }
check "watchdog: a stopped process is replaced" until_true 75 woken
watchdog_said() { journalctl -u edgesparsed -o cat --no-pager | grep -m 1 -i 'watchdog timeout'; }
check "watchdog: systemd says so" watchdog_said
