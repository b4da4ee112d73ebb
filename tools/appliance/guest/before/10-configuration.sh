# A wrong configuration is said, and waits for somebody.
echo '{ "http": { "lisen": "127.0.0.1:9464" } }' >/etc/edgesparse/conf.d/99-wrong.json
systemctl restart edgesparsed 2>/dev/null
sleep 6
wrong() {
	local status
	status=$(systemctl show -p ActiveState,ExecMainStatus,NRestarts edgesparsed | paste -sd ' ')
	echo "$status"
	[[ $status == *ExecMainStatus=78* && $status == *ActiveState=failed* && $status == *NRestarts=0* ]] && journalctl -u edgesparsed -n 20 -o cat --no-pager | grep -q 'http:lisen'
}
check "configuration: a wrong one is said once, without a loop of restarts" wrong
rm /etc/edgesparse/conf.d/99-wrong.json
systemctl reset-failed edgesparsed
