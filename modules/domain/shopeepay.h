/*
 * ShopeePay's wallet interface: authentication, balance, top-up. provider.h
 * says what the functions take and give. Amounts are whole rupiah.
 */
#ifndef ONEGATE_DOMAIN_SHOPEEPAY_H
#define ONEGATE_DOMAIN_SHOPEEPAY_H

#include "domain/digest.h"
#include "domain/provider.h"

/* The source of a top-up where the account names none: ShopeePay knows our
 * float account by our merchant id. */
#define SHOPEEPAY_SOURCE_TYPE "BANK_ACCOUNT"
#define SHOPEEPAY_SOURCE_BANK_CODE "918"

/*
 * The signature of the authentication call: lower-case hex HMAC-SHA256 over
 * merchant id and timestamp, keyed with the API key. Their description says
 * only "sha256 signature": this is the one place that knows better.
 */
void shopeepay_signature(const char *merchant_id, const char *api_key,
    int64_t unix_s, char text[DIGEST_SHA256_HEX_SIZE]);

/* POST /shopeepay/authentication */
bool shopeepay_token_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void shopeepay_token_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

/* POST /shopeepay/account/balance */
bool shopeepay_balance_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void shopeepay_balance_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

/* POST /shopeepay/wallet/topup; a repeat tells where it stands. */
bool shopeepay_topup_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void shopeepay_topup_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

#endif
