/*
 * Hashes by libcrypto.
 */
#include "domain/digest.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "domain/hex.h"

/* Found once: libcrypto otherwise looks its providers through for each hash,
 * which takes longer than a short hash itself. */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void
sha256_find(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL)
		abort();
}

void
digest_sha256(
    const void *bytes, size_t length, uint8_t digest[DIGEST_SHA256_SIZE])
{
	if (pthread_once(&sha256_once, sha256_find) != 0 ||
	    EVP_Digest(bytes, length, digest, NULL, sha256, NULL) != 1)
		abort();
}

void
digest_sha256_hex(
    const void *bytes, size_t length, char text[DIGEST_SHA256_HEX_SIZE])
{
	uint8_t digest[DIGEST_SHA256_SIZE];

	digest_sha256(bytes, length, digest);
	hex_encode(digest, sizeof(digest), text);
}

static void
hmac(const EVP_MD *hash, const void *key, size_t key_length, const void *bytes,
    size_t length, uint8_t *digest)
{
	/* A NULL key means "the one before" to libcrypto. */
	if (key == NULL)
		key = "";
	if (key_length > INT_MAX ||
	    HMAC(hash, key, (int)key_length, bytes, length, digest, NULL) ==
		NULL)
		abort();
}

void
digest_hmac_sha256(const void *key, size_t key_length, const void *bytes,
    size_t length, uint8_t digest[DIGEST_SHA256_SIZE])
{
	hmac(EVP_sha256(), key, key_length, bytes, length, digest);
}

void
digest_hmac_sha256_hex(const void *key, size_t key_length, const void *bytes,
    size_t length, char text[DIGEST_SHA256_HEX_SIZE])
{
	uint8_t digest[DIGEST_SHA256_SIZE];

	digest_hmac_sha256(key, key_length, bytes, length, digest);
	hex_encode(digest, sizeof(digest), text);
}

void
digest_hmac_sha512(const void *key, size_t key_length, const void *bytes,
    size_t length, uint8_t digest[DIGEST_SHA512_SIZE])
{
	hmac(EVP_sha512(), key, key_length, bytes, length, digest);
}

bool
digest_equal(const void *a, const void *b, size_t length)
{
	return (CRYPTO_memcmp(a, b, length) == 0);
}
