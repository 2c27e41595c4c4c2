/*
 * Listening sockets: every one has the guard, and with several workers each
 * worker has sockets of its own (SO_REUSEPORT), since Kore's accept lock lets
 * one worker take nearly all connections.
 */
#ifndef ONEGATE_WEB_LISTENER_H
#define ONEGATE_WEB_LISTENER_H

/* In the parent: checks the listeners; ends the process with one clear line
 * when one has no guard. */
void listener_parent(void);
/* In a worker, before its sandbox. */
void listener_worker(void);
/* Stops accepting, for good; again is fine. */
void listener_close(void);

#endif
