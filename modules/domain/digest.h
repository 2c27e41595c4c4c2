/*
 * Hashes: SHA-256 and the HMACs over SHA-256 and SHA-512 (FIPS 180-4, RFC
 * 2104). libcrypto computes; a failure in it ends the process, because a
 * hash that could not be made must never be compared or stored.
 */
#ifndef ONEGATE_DOMAIN_DIGEST_H
#define ONEGATE_DOMAIN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA256_SIZE 32
#define DIGEST_SHA512_SIZE 64
#define DIGEST_SHA256_HEX_SIZE 65
#define DIGEST_SHA512_HEX_SIZE 129

void digest_sha256(
    const void *bytes, size_t length, uint8_t digest[DIGEST_SHA256_SIZE]);
void digest_sha256_hex(
    const void *bytes, size_t length, char text[DIGEST_SHA256_HEX_SIZE]);

/* KEY may be empty; any length. */
void digest_hmac_sha256(const void *key, size_t key_length, const void *bytes,
    size_t length, uint8_t digest[DIGEST_SHA256_SIZE]);
void digest_hmac_sha256_hex(const void *key, size_t key_length,
    const void *bytes, size_t length, char text[DIGEST_SHA256_HEX_SIZE]);
void digest_hmac_sha512(const void *key, size_t key_length, const void *bytes,
    size_t length, uint8_t digest[DIGEST_SHA512_SIZE]);

/* Equal bytes, in a time that tells nothing of where they differ. */
bool digest_equal(const void *a, const void *b, size_t length);

#endif
