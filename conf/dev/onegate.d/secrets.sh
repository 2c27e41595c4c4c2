# Passwords and keys of a development stack: made once, random, in the data
# folder, readable by its owner only. Must never be logged; only
# "status --json" shows one, for tests: the database owner's password.

# secret NAME: the value.
secret() {
	cat "$SECRETS/$1"
}

secrets_make() {
	local role
	for role in postgres owner $PG_ROLES; do
		secret_make "pg_$role"
	done
	secret_make api_key_pepper
	secret_make refresh_pepper
	secret_make gopay_client_secret
	secret_make gopay_snap_client_secret
	secret_make shopeepay_api_key
	secret_make shopeepay_snap_client_secret
	in_parallel jwt_keys_make snap_keys_make
}

secret_make() {
	[ ! -s "$SECRETS/$1" ] || return 0
	(umask 077 && openssl rand -hex 32 >"$SECRETS/$1.new")
	mv "$SECRETS/$1.new" "$SECRETS/$1"
}

# key_pair_make PATH OPENSSL-ARGS...: PATH.pem and PATH.pub.pem, whole or not.
key_pair_make() {
	local path=$1
	shift
	[ ! -s "$path.pub.pem" ] || return 0
	(
		umask 077
		openssl genpkey -quiet "$@" -out "$path.pem" 2>/dev/null ||
		    openssl genpkey "$@" -out "$path.pem" 2>/dev/null
		openssl pkey -in "$path.pem" -pubout -out "$path.pub.pem.new"
	)
	mv "$path.pub.pem.new" "$path.pub.pem"
}

# auth gets jwt/ (signs with the RS256 key), the others only the public halves
# in jwt-public/. The ES256 key is there so that changing keys stays exercised.
jwt_keys_make() {
	local rsa_kid=rs256-1 ec_kid=es256-1
	mkdir -p "$SECRETS/jwt" "$SECRETS/jwt-public"
	key_pair_make "$SECRETS/jwt/$rsa_kid" -algorithm RSA \
	    -pkeyopt rsa_keygen_bits:2048
	key_pair_make "$SECRETS/jwt/$ec_kid" -algorithm EC \
	    -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve
	printf '%s\n' "$rsa_kid" >"$SECRETS/jwt/signing"
	cp "$SECRETS/jwt"/*.pub.pem "$SECRETS/jwt-public/"
}

# Ours sign the calls to a provider, the provider's sign its notifications.
snap_keys_make() {
	local name
	for name in gopay_partner gopay_provider shopeepay_partner \
	    shopeepay_provider; do
		key_pair_make "$SECRETS/snap_$name" -algorithm RSA \
		    -pkeyopt rsa_keygen_bits:2048
	done
}
