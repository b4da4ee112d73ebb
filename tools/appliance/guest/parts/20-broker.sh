# The broker elsewhere is away for a while.
systemctl stop mosquitto
degraded() { get /readyz | grep -q degraded && ready; }
check "broker away: degraded, ready all the same" until_true 30 degraded
sleep 8
waiting() { get "/healthz?verbose" | grep -oE '"name":"spool"[^}]*'; }
check "broker away: results wait in the spool" waiting
systemctl start mosquitto
caught_up() { ready | grep -q '"status":"ok"' && [ "$(get '/healthz?verbose' | grep -oE '[0-9]+ results wait' | cut -d' ' -f1)" -lt 20 ]; }
check "broker back: the spool is emptied" until_true 90 caught_up
