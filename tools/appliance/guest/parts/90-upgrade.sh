# A newer version of the package.
echo '// edited' >>/etc/edgesparse/edgesparse.json
pid=$(main_pid)
check "upgrade: dpkg -i of a newer version" dpkg --force-confold -i /opt/appliance/edgesparse-next.deb
upgraded() { [ "$(main_pid)" != "$pid" ] && ready; }
check "upgrade: ready" until_true 60 upgraded
kept() { tail -n 1 /etc/edgesparse/edgesparse.json; grep -q '// edited' /etc/edgesparse/edgesparse.json && test -e /etc/edgesparse/conf.d/50-appliance.json; }
check "upgrade: what was edited is kept" kept
memory() { grep VmHWM "/proc/$(main_pid)/status"; }
check "service: memory" memory
