# A model is replaced while frames come in: signed and newer is taken, damaged, unsigned and older is not.
MODELS=/var/lib/edgesparse/models
edgesparse keygen $STATE/release >/dev/null
install -d /etc/edgesparse/keys
for key in $STATE/release*; do case $key in *.key.pem) ;; *) cp "$key" /etc/edgesparse/keys/ ;; esac; done
signed() { edgesparse sign "$1" --key $STATE/release.key.pem --release "$2" | tail -n 1; }
check "update: signed" signed /opt/appliance/model.esm 1
signed /opt/appliance/model-next.esm 2 >/dev/null
echo '{ "models": { "requireSignature": true, "trustedKeys": "/etc/edgesparse/keys", "allowForce": false } }' >/etc/edgesparse/conf.d/70-models.json
systemctl restart edgesparsed
check "update: ready where signatures are required" until_true 60 ready
version() { get /api/status | grep -oE '"version":"[0-9.]+"' | sort | uniq -c | sort -n | tail -n 1; get /api/status | grep -q "\"version\":\"$1\""; }
check "update: the first version is at work" version 1.0.0

# Past the tool, which would refuse it: one byte of the weights is another.
inbox=$MODELS/inbox
cp /opt/appliance/model-next.esm $STATE/tampered.esm
size=$(stat -c %s $STATE/tampered.esm)
printf '\x55' | dd of=$STATE/tampered.esm bs=1 seek=$((size - 4000)) conv=notrunc 2>/dev/null
reported() { cat $MODELS/last-update.json; ! grep -q '"installed"' $MODELS/last-update.json && grep -q "$1" $MODELS/last-update.json; }
refused() { test ! -e "$inbox/$1" && reported "$1"; }
check "update: the tool refuses a tampered model" sh -c "! edgesparse push $STATE/tampered.esm"
cp /opt/appliance/model-next.esm.sig $inbox/tampered.esm.sig && cp $STATE/tampered.esm $inbox/tampered.esm
check "update: the daemon refuses a tampered model" until_true 30 refused tampered.esm
cp /opt/appliance/model-next.esm $inbox/unsigned.esm
check "update: the daemon refuses an unsigned model" until_true 30 refused unsigned.esm
check "update: the first version is still at work" version 1.0.0

pid=$(main_pid)
push() { edgesparse push "$1" --wait --timeout 60 | tail -n 1; return "${PIPESTATUS[0]}"; }
check "update: a signed newer model is taken" push /opt/appliance/model-next.esm
check "update: it is at work" until_true 30 version 1.0.1
check "update: by the same process" test "$(main_pid)" = "$pid"
older() { local output; output=$(push /opt/appliance/model.esm) && return 1; echo "$output"; }
check "update: an older release is refused" older
kill -9 "$(main_pid)"
back() { [ "$(main_pid)" != "$pid" ] && ready && version 1.0.1; }
check "update: kept over kill -9" until_true 40 back
