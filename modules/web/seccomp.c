/*
 * The worker's system calls: a complete list under Kore's own name "worker",
 * which makes Kore's list a no-op, and which ends in KILL_PROCESS (Kore's ends
 * in killing one thread, which leaves a worker that is neither dead nor
 * alive). The hook runs in each worker just before the list is loaded.
 * Must never grow a call that no code of ours makes.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <kore.h>
#include <seccomp.h>
#include <hooks.h>
#include <linux/seccomp.h>

#include "web/listener.h"
#include "web/seccomp.h"

#define ALLOW KORE_SYSCALL_ALLOW

/* Read from the top for each call: the frequent ones come first. */
static struct sock_filter worker_calls[] = {
	ALLOW(epoll_wait),
	ALLOW(recvfrom),
	ALLOW(sendto),
	ALLOW(epoll_ctl),
	ALLOW(read),
	ALLOW(write),
	ALLOW(futex),
	ALLOW(clock_gettime),
	ALLOW(timerfd_settime),
	ALLOW(close),
	ALLOW(accept),
	ALLOW(fcntl),
	ALLOW(setsockopt),
	ALLOW(poll),
	ALLOW(epoll_pwait),
	ALLOW(getpid),
	ALLOW(writev),
	ALLOW(sendmsg),
	ALLOW(recvmsg),
	ALLOW(madvise),
	ALLOW(brk),
	ALLOW(munmap),
	/* No memory is both written and run. */
	KORE_SYSCALL_DENY_WITH_FLAG(mmap, 2, PROT_EXEC | PROT_WRITE, EINVAL),
	ALLOW(mmap),
	KORE_SYSCALL_DENY_WITH_FLAG(mprotect, 2, PROT_EXEC, EINVAL),
	ALLOW(mprotect),
	ALLOW(mremap),
	/* Files: keys, certificates, name resolution, reload. */
	KORE_SYSCALL_DENY(ioctl, EACCES),
	ALLOW(open),
	ALLOW(openat),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(statx),
	ALLOW(lseek),
	ALLOW(pread64),
	ALLOW(readv),
	ALLOW(access),
	ALLOW(faccessat),
	ALLOW(faccessat2),
	ALLOW(getcwd),
	ALLOW(unlink),
	ALLOW(readlink),
	ALLOW(readlinkat),
	ALLOW(getdents64),
	ALLOW(sendfile),
	ALLOW(dup),
	/* Threads and time. */
	ALLOW(exit),
	ALLOW(exit_group),
	ALLOW(kill),
	ALLOW(tgkill),
	ALLOW(gettid),
	ALLOW(getppid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(clone),
	ALLOW(clone3),
	ALLOW(rseq),
	ALLOW(set_robust_list),
	ALLOW(set_tid_address),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(nanosleep),
	ALLOW(clock_nanosleep),
	ALLOW(restart_syscall),
	ALLOW(getrusage),
	ALLOW(sysinfo),
	ALLOW(uname),
	ALLOW(prlimit64),
	ALLOW(membarrier),
	ALLOW(setpriority),
	ALLOW(getpriority),
	KORE_SYSCALL_ALLOW_ARG(prctl, 0, PR_SET_NAME),
	ALLOW(sigaltstack),
	ALLOW(rt_sigreturn),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(getrandom),
	/* Network. */
	ALLOW(ppoll),
	ALLOW(connect),
	ALLOW(getsockopt),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(shutdown),
	ALLOW(bind),
	ALLOW(sendmmsg),
	ALLOW(socketpair),
	ALLOW(pipe2),
	ALLOW(eventfd2),
	ALLOW(epoll_create1),
	ALLOW(timerfd_create),
	ALLOW(accept4),
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_INET),
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_INET6),
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_UNIX),
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_NETLINK), /* getaddrinfo */
	KORE_BPF_RET(SECCOMP_RET_KILL_PROCESS),
};

/* Sanitizers and valgrind make calls of their own. */
static struct sock_filter all_calls[] = { KORE_BPF_RET(SECCOMP_RET_ALLOW) };

bool
sandbox_off(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	const char *wish = getenv("ONEGATE_SANDBOX");
	const char *preload = getenv("LD_PRELOAD");

	return wish != NULL && strcmp(wish, "off") == 0 && preload != NULL &&
	    (strstr(preload, "libasan") != NULL ||
		strstr(preload, "vgpreload") != NULL);
#endif
}

void
kore_seccomp_hook(void)
{
	size_t last = KORE_FILTER_LEN(worker_calls) - 1;
	int taken;

	listener_worker();
	if (kore_seccomp_tracing)
		worker_calls[last].k = SECCOMP_RET_TRACE;
	if (sandbox_off())
		taken = kore_seccomp_filter(
		    "worker", all_calls, KORE_FILTER_LEN(all_calls));
	else
		taken = kore_seccomp_filter(
		    "worker", worker_calls, KORE_FILTER_LEN(worker_calls));
	if (!taken)
		fatalx("seccomp: the filter's name is taken");
}
