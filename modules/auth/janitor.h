/* The worker's own cleaning, every ten to twenty minutes. */
#ifndef ONEGATE_AUTH_JANITOR_H
#define ONEGATE_AUTH_JANITOR_H

/* After the pool was made; stop before it goes. */
void janitor_start(void);
void janitor_stop(void);

#endif
