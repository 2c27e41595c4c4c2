# What each process is told: env/NAME.env holds NAME=VALUE lines, readable by
# the owner only. Each gets its own secrets and nobody else's.

environment_write() {
	local name
	for name in auth payment transaction sandbox; do
		(umask 077 && {
			"environment_$name"
			[ "$name" = sandbox ] || environment_overrides "$name"
		} >"$DATA/env/$name.env.new")
		mv "$DATA/env/$name.env.new" "$DATA/env/$name.env"
	done
}

# environment_overrides MODULE: what the person set in the environment wins over what follows from the stack.
environment_overrides() {
	local id
	while read -r id; do
		for id in "ONEGATE_$id" "ONEGATE_${id}_FILE"; do
			[ -z "${!id:-}" ] || printf '%s=%s\n' "$id" "${!id}"
		done
	done < <(grep -E "CONFIG_FOR_(ALL|${1^^})" \
	    "$ONEGATE_ROOT/modules/io/config.def" |
	    sed -n 's/^CONFIG(\([A-Z0-9_]*\),.*/\1/p')
}

environment_common() {
	cat <<-ENV
		ONEGATE_ENV=development
		ONEGATE_REDIS=$HOST:$ONEGATE_REDIS_PORT
	ENV
}

environment_tokens() {
	cat <<-ENV
		ONEGATE_JWT_KEYS=$SECRETS/$1
		ONEGATE_JWT_ISSUER=https://onegate.id
		ONEGATE_JWT_AUDIENCE=onegate
	ENV
}

# On one machine everybody has one address, tests and load included.
environment_auth() {
	environment_common
	environment_tokens jwt
	cat <<-ENV
		ONEGATE_AUTH_PG=$(postgres_conninfo auth)
		ONEGATE_REFRESH_PEPPER_FILE=$SECRETS/refresh_pepper
		ONEGATE_LIMIT_LOGIN_ADDRESS=1000000
		ONEGATE_LIMIT_LOGIN_ACCOUNT=100000
		ONEGATE_LIMIT_REGISTER_ADDRESS=1000000
		ONEGATE_LIMIT_REFRESH_ADDRESS=1000000
		ONEGATE_LIMIT_DELAY_MS=0
	ENV
}

environment_payment() {
	local name
	environment_common
	environment_tokens jwt-public
	environment_providers
	cat <<-ENV
		ONEGATE_PAYMENT_PG=$(postgres_conninfo payment)
		ONEGATE_RELAY_PG=$(postgres_conninfo relay)
		ONEGATE_KAFKA=$HOST:$ONEGATE_KAFKA_PORT
		ONEGATE_GOPAY_URL=http://$HOST:$ONEGATE_SANDBOX_PORT
		ONEGATE_SHOPEEPAY_URL=http://$HOST:$ONEGATE_SANDBOX_PORT
		ONEGATE_GOPAY_SNAP_URL=http://$HOST:$ONEGATE_SANDBOX_PORT/gopay-snap
		ONEGATE_SHOPEEPAY_SNAP_URL=http://$HOST:$ONEGATE_SANDBOX_PORT/shopeepay-snap
	ENV
	for name in gopay shopeepay; do
		cat <<-ENV
			ONEGATE_${name^^}_SNAP_PRIVATE_KEY_FILE=$SECRETS/snap_${name}_partner.pem
			ONEGATE_${name^^}_SNAP_PUBLIC_KEY_FILE=$SECRETS/snap_${name}_provider.pub.pem
		ENV
	done
}

environment_transaction() {
	environment_common
	cat <<-ENV
		ONEGATE_TRANSACTION_PG=$(postgres_conninfo transaction)
		ONEGATE_REGULATOR_PG=$(postgres_conninfo regulator)
		ONEGATE_KAFKA=$HOST:$ONEGATE_KAFKA_PORT
		ONEGATE_API_KEY_PEPPER_FILE=$SECRETS/api_key_pepper
	ENV
}

# What both sides of a provider's interface know.
environment_providers() {
	cat <<-ENV
		ONEGATE_GOPAY_CLIENT_ID=onegate
		ONEGATE_GOPAY_CLIENT_SECRET_FILE=$SECRETS/gopay_client_secret
		ONEGATE_GOPAY_SNAP_CLIENT_ID=onegate-snap
		ONEGATE_GOPAY_SNAP_CLIENT_SECRET_FILE=$SECRETS/gopay_snap_client_secret
		ONEGATE_SHOPEEPAY_MERCHANT_ID=onegate
		ONEGATE_SHOPEEPAY_API_KEY_FILE=$SECRETS/shopeepay_api_key
		ONEGATE_SHOPEEPAY_SNAP_CLIENT_ID=onegate-snap
		ONEGATE_SHOPEEPAY_SNAP_CLIENT_SECRET_FILE=$SECRETS/shopeepay_snap_client_secret
	ENV
}

environment_sandbox() {
	local name
	printf 'ONEGATE_ENV=development\n'
	environment_providers
	for name in gopay shopeepay; do
		cat <<-ENV
			ONEGATE_SANDBOX_${name^^}_PRIVATE_KEY_FILE=$SECRETS/snap_${name}_provider.pem
			ONEGATE_SANDBOX_${name^^}_PARTNER_PUBLIC_KEY_FILE=$SECRETS/snap_${name}_partner.pub.pem
		ENV
	done
	printf 'ONEGATE_SANDBOX_NOTIFY_URL=http://%s:%s%s\n' \
	    "$HOST" "$ONEGATE_PAYMENT_PORT" "$NOTIFY_PATH"
}

# The providers add their name to it.
readonly NOTIFY_PATH=/api/payment/notifications

# environment_array NAME: fills ENVIRONMENT, for "env -i".
environment_array() {
	mapfile -t ENVIRONMENT <"$DATA/env/$1.env"
	ENVIRONMENT=("PATH=$PATH" "LC_ALL=C.UTF-8" "HOME=$DATA"
	    "TMPDIR=${TMPDIR:-/tmp}" "${ENVIRONMENT[@]}")
}
