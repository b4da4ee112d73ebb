# The configuration is read again without a pause.
pid=$(main_pid)
echo '{ "mqtt": { "statsIntervalSeconds": "often" } }' >/etc/edgesparse/conf.d/80-wrong.json
systemctl reload edgesparsed
kept() { ready && [ "$(main_pid)" = "$pid" ] && journalctl -u edgesparsed -n 30 -o cat --no-pager | grep 'statsIntervalSeconds'; }
check "reload: a wrong configuration is refused, the old one works on" until_true 30 kept
echo '{ "cameras": { "front": { "fps": 4 } } }' >/etc/edgesparse/conf.d/80-wrong.json
systemctl reload edgesparsed
taken() { ready && [ "$(main_pid)" = "$pid" ] && journalctl -u edgesparsed --since "-1min" -o cat --no-pager | grep -iE 'at 4 frames|reload|configuration' | tail -n 1; }
check "reload: a right one is taken" until_true 30 taken
rm /etc/edgesparse/conf.d/80-wrong.json
