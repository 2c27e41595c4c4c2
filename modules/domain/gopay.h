/*
 * GoPay's wallet interface: token, balance, top-up. provider.h says what the
 * functions take and give. Amounts are rupiah with two decimals.
 */
#ifndef ONEGATE_DOMAIN_GOPAY_H
#define ONEGATE_DOMAIN_GOPAY_H

#include "domain/provider.h"

/* POST /gopay/auth/token */
bool gopay_token_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void gopay_token_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

/* GET /gopay/wallet/balance */
bool gopay_balance_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void gopay_balance_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

/* POST /gopay/wallet/topup */
bool gopay_topup_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void gopay_topup_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

#endif
