#!/usr/bin/env bash
# A pipeline that publishes, as a user writes it, with mosquitto's own programs at the other end.
. "$(dirname "$0")/check.sh"
PATH=$PATH:/usr/sbin
for program in mosquitto mosquitto_sub mosquitto_passwd; do
  command -v $program >/dev/null || skip "no $program (packages mosquitto, mosquitto-clients)"
done
export GST_PLUGIN_PATH=$build/gst-plugin GST_REGISTRY=$scratch/registry
ldd "$build/gst-plugin/libgstsmearscope.so" | grep -q libmosquitto || skip "$build has no MQTT (libmosquitto-dev)"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '%s' "a secret" >password
mosquitto_passwd -b -c users microscope "a secret" && chmod 644 users
printf '%s\n' "listener $port 127.0.0.1" "user $(id -un)" "password_file $scratch/users" >broker.conf
mosquitto -c broker.conf >broker.log 2>&1 &
broker=$!
trap 'kill $broker $listener 2>/dev/null; rm -rf "$scratch"' EXIT
listen=(mosquitto_sub -p "$port" -u microscope -P "a secret")
comes() { for _ in $(seq 300); do "$@" && return; sleep 0.2; done; false; }

comes eval '"${listen[@]}" -t "\$SYS/broker/uptime" -C 1 >/dev/null 2>&1' || { cat broker.log; exit 1; }
"${listen[@]}" -t 'lab/#' -v >heard &
listener=$!
sleep 1

publish() { # PIPELINE BEFORE CELLREPORT... ! fakesink is added
  run gst-launch-1.0 smeartestsrc num-buffers=6 ! video/x-raw,width=320,height=240 ! smearscope "model=$random_model" \
    ! cellreport "mqtt-broker=mqtt://microscope@127.0.0.1:$port" mqtt-topic=lab/1 "$@" ! fakesink
}
publish mqtt-password-file=password mqtt-frames=true json-location=cells.jsonl
check "the pipeline ends well" test $status = 0
check "and has nothing to complain of" eval '! grep -q WARNING said'
comes grep -q '^lab/1/status offline' heard
check "it says that it is there, and that it is gone" \
  test "$(grep '^lab/1/status' heard | paste -sd,)" = "lab/1/status online,lab/1/status offline"
check "every frame is published as the file has it" \
  cmp <(sed -n 's|^lab/1/cells ||p' heard) cells.jsonl
check "the last counts are kept for who comes later" \
  eval '"${listen[@]}" -t lab/1/tally -C 1 -W 20 | python3 -c "
import json, sys
tally = json.load(sys.stdin)
assert abs(tally[\"time_s\"] - 5 / 30) < 0.001 and tally[\"detections\"] > 0, tally
assert tally[\"cells\"] == sum(row[\"count\"] for row in tally[\"classes\"] if row[\"family\"] is None), tally"'

echo "another secret" >wrong
publish mqtt-password-file=wrong
check "a wrong password does not stop the pipeline" test $status = 0
check "and is told" said "WARNING.*does not accept this user with this password"
check "as is what was not published" said "WARNING.*the last counts are missing"
check "without the password" eval '! grep -q secret said'
finish
