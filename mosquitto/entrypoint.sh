#!/bin/sh
# Runs Mosquitto in a container: renders mosquitto.conf, keeps accounts readable for the broker,
# reloads them when the platform has written new ones, and never stays down for a bad store.
set -eu

: "${S2G_MQTT_PLATFORM_PASSWORD:?set it in .env}"
if [ "$S2G_MQTT_PLATFORM_PASSWORD" = change-me ] && [ "${S2G_ENV:-prod}" != dev ]; then
    echo "S2G_MQTT_PLATFORM_PASSWORD is still the placeholder; set it in .env" >&2
    exit 1
fi
here=${S2G_BROKER_FILES:-/mosquitto/sync2gear}
root=${S2G_BROKER_DIR:-/mosquitto}
accounts=$root/accounts
store=$root/data
configuration=$root/mosquitto.conf
mkdir -p "$accounts" "$store"

mosquitto_passwd -b -c "$accounts/platform" platform "$S2G_MQTT_PLATFORM_PASSWORD"
[ -e "$accounts/devices" ] || : >"$accounts/devices"
cp "$here/acl" "$accounts/acl"
sed -e "s|\${persistence}|$store|" \
    -e "s|\${pid_file}|$store/pid|" \
    -e "s|\${memory_limit}|${S2G_MQTT_MEMORY_BYTES:-268435456}|" \
    -e "s|\${device_port}|${S2G_MQTT_DEVICE_PORT:-1883}|" \
    -e "s|\${device_host}|${S2G_MQTT_HOST:-0.0.0.0}|" \
    -e "s|\${device_passwords}|$accounts/devices|" \
    -e "s|\${platform_port}|${S2G_MQTT_PLATFORM_PORT:-1884}|" \
    -e "s|\${platform_host}|${S2G_MQTT_HOST:-0.0.0.0}|" \
    -e "s|\${platform_passwords}|$accounts/platform|" \
    -e "s|\${acl}|$accounts/acl|" \
    "$here/mosquitto.conf" >"$configuration"
if [ "$(id -u)" = 0 ]; then
    # The platform writes `devices` from another container: its file inherits the broker's group.
    chown -R mosquitto:mosquitto "$store" "$accounts"
    chmod 2777 "$accounts"
    chmod 0640 "$accounts/platform" "$accounts/devices" "$accounts/acl"
fi

broker=
trap '[ -z "$broker" ] || kill -TERM "$broker"' TERM INT
start() {
    began=$(date +%s)
    mosquitto -c "$configuration" &
    broker=$!
}
accounts_now() { cksum <"$accounts/devices"; }

start
known=$(accounts_now)
guarded=no
while :; do
    # A wait that a signal ended says nothing of the broker: ask whether it is still there.
    if ! kill -0 "$broker" 2>/dev/null; then
        status=0
        wait "$broker" || status=$?
        if [ "$status" != 0 ] && [ $guarded = no ] && [ -e "$store/mosquitto.db" ] &&
            [ $(($(date +%s) - began)) -le 5 ]; then
            echo "the store could not be read; moved aside, starting empty" >&2
            mv "$store/mosquitto.db" "$store/mosquitto.db.damaged"
            guarded=yes
            start
            continue
        fi
        exit "$status"
    fi
    if [ "$(accounts_now)" != "$known" ]; then
        known=$(accounts_now)
        kill -HUP "$broker"
    fi
    sleep 1
done
