//! Seccomp: which system calls can be made (<https://docs.kernel.org/userspace-api/seccomp_filter.html>).
//!
//! What a decoder needs is allowed. What an innocent library may try before it does without (a look at `/proc`, a faster
//! copy) is refused with an error. All else is never innocent in a worker and kills it, so that it ends as one outcome
//! and the next file has a fresh one. A program with a hundred libraries has more ways to be innocent: there the rest is
//! refused and nothing kills.
//!
//! Of several filters the strictest answer holds: the one that allows knows also what another refuses.

use std::collections::BTreeMap;
use std::io;

use rustix::process::Resource;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::Barrier;

/// What reading needs, whatever it is called with: descriptors that are there, memory to be given back, waiting, clocks,
/// random numbers for hash tables, the end.
const PLAIN: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_ppoll,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_restart_syscall,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrusage,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getcpu,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// The same under the numbers that only this processor has.
#[cfg(target_arch = "x86_64")]
const PLAIN_HERE: &[i64] = &[libc::SYS_poll, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const PLAIN_HERE: &[i64] = &[];

/// Names of files: refused, as if they were forbidden to everybody.
const NAMES: &[i64] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_newfstatat,
    libc::SYS_statfs,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
];

/// The same under the numbers that only this processor has.
#[cfg(target_arch = "x86_64")]
const NAMES_HERE: &[i64] = &[libc::SYS_open, libc::SYS_access, libc::SYS_readlink, libc::SYS_stat, libc::SYS_lstat];
#[cfg(not(target_arch = "x86_64"))]
const NAMES_HERE: &[i64] = &[];

/// What a library tries and does without, as on a kernel that does not have it.
const TRIED: &[i64] = &[
    libc::SYS_statx,
    libc::SYS_ioctl,
    libc::SYS_membarrier,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
];

/// What a program needs beside [`PLAIN`]: its libraries, threads, and the names that Landlock admits. `execve` starts it,
/// under all of this.
const PROGRAM: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_mprotect,
    libc::SYS_mmap,
    libc::SYS_mlock,
    libc::SYS_munlock,
    libc::SYS_mincore,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_fadvise64,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_pselect6,
    libc::SYS_getppid,
    libc::SYS_getpriority,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_sched_setaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_times,
];

/// The same under the numbers that only this processor has.
#[cfg(target_arch = "x86_64")]
const PROGRAM_HERE: &[i64] = &[
    libc::SYS_arch_prctl,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_select,
    libc::SYS_getrlimit,
];
#[cfg(not(target_arch = "x86_64"))]
const PROGRAM_HERE: &[i64] = &[libc::SYS_getrlimit];

/// A worker's filter.
pub(super) fn of_worker() -> io::Result<Barrier> {
    install("system calls by list, others kill", || {
        let mut allowed = every(&[PLAIN, PLAIN_HERE, NAMES, NAMES_HERE, TRIED]);
        allowed.extend([
            (libc::SYS_prctl, vec![]),
            (libc::SYS_recvmsg, vec![]),
            // To the other end, never to an address.
            (libc::SYS_sendto, vec![all(vec![is(4, Qword, Eq, 0)?])?]),
            // Memory alone, never to be executed: neither a file's nor a decoder's output becomes code.
            (libc::SYS_mmap, vec![all(vec![without_execution()?, with_bits(3, libc::MAP_ANONYMOUS)?])?]),
            (libc::SYS_mprotect, vec![all(vec![without_execution()?])?]),
            (libc::SYS_fcntl, descriptor_flags()?),
            (libc::SYS_tgkill, vec![all(vec![is_self()?])?]),
            // Its own budget of processor time, and to look at the others.
            (
                libc::SYS_prlimit64,
                vec![
                    all(vec![is(0, Dword, Eq, 0)?, is(1, Dword, Eq, Resource::Cpu as u64)?])?,
                    all(vec![is(0, Dword, Eq, 0)?, is(2, Qword, Eq, 0)?])?,
                ],
            ),
        ]);
        let mut tried = every(&[TRIED]);
        // But for what comes before the filters after this one, and gives nothing.
        tried.insert(libc::SYS_prctl, vec![all(vec![is(0, Dword, Ne, libc::PR_SET_NO_NEW_PRIVS as u64)?])?]);
        Ok(vec![
            refuse(tried, libc::ENOSYS)?,
            refuse(every(&[NAMES, NAMES_HERE]), libc::EACCES)?,
            allow(allowed, SeccompAction::KillProcess)?,
        ])
    })
}

/// A program's filter.
pub(super) fn of_program() -> io::Result<Barrier> {
    install("system calls by list, others refused", || {
        let mut allowed = every(&[PLAIN, PLAIN_HERE, PROGRAM, PROGRAM_HERE]);
        let reads = |flags| with_bits_clear(flags, libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC);
        allowed.extend([
            // Threads, never a process of its own.
            (libc::SYS_clone, vec![all(vec![with_bits(0, libc::CLONE_THREAD)?])?]),
            (libc::SYS_clone3, vec![]),
            (libc::SYS_openat, vec![all(vec![reads(2)?])?]),
            (libc::SYS_fcntl, descriptor_flags()?),
            (libc::SYS_tgkill, vec![all(vec![is_self()?])?]),
            (libc::SYS_prlimit64, vec![all(vec![is(0, Dword, Eq, 0)?, is(2, Qword, Eq, 0)?])?]),
        ]);
        #[cfg(target_arch = "x86_64")]
        allowed.insert(libc::SYS_open, vec![all(vec![reads(1)?])?]);
        Ok(vec![
            // Its flags are in memory, where no filter looks; a C library goes back to `clone`.
            refuse(every(&[&[libc::SYS_clone3]]), libc::ENOSYS)?,
            allow(allowed, SeccompAction::Errno(libc::EPERM as u32))?,
        ])
    })
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs the filters in their order. The last one may forbid to install more.
fn install(what: &str, filters: impl Fn() -> Result<Vec<BpfProgram>, BackendError>) -> io::Result<Barrier> {
    let filters = match filters() {
        Err(BackendError::InvalidTargetArch(arch)) => {
            return Ok(Barrier::missing(format!("no list for a processor of {arch}")));
        }
        filters => filters.map_err(|error| io::Error::other(format!("seccomp: {error}")))?,
    };
    for (number, filter) in filters.iter().enumerate() {
        match apply_filter(filter) {
            Ok(()) => {}
            // No such call, a kernel without filters, a sandbox that allows none.
            Err(Error::Seccomp(error))
                if number == 0
                    && matches!(
                        error.raw_os_error(),
                        Some(libc::ENOSYS | libc::EINVAL | libc::EPERM | libc::EACCES)
                    ) =>
            {
                return Ok(Barrier::missing(error));
            }
            Err(error) => return Err(io::Error::other(format!("seccomp: {error}"))),
        }
    }
    Ok(Barrier::InForce { what: what.to_owned() })
}

fn allow(calls: Rules, otherwise: SeccompAction) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(calls, otherwise, SeccompAction::Allow, architecture()?)?.try_into()
}

fn refuse(calls: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::Errno(errno as u32), architecture()?)?.try_into()
}

fn architecture() -> Result<TargetArch, BackendError> {
    TargetArch::try_from(std::env::consts::ARCH)
}

/// Calls with any arguments.
fn every(lists: &[&[i64]]) -> Rules {
    lists.iter().flat_map(|list| list.iter().map(|&call| (call, Vec::new()))).collect()
}

fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

fn is(argument: u8, len: SeccompCmpArgLen, how: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, len, how, value)
}

fn with_bits(argument: u8, bits: i32) -> Result<SeccompCondition, BackendError> {
    is(argument, Qword, MaskedEq(bits as u64), bits as u64)
}

fn with_bits_clear(argument: u8, bits: i32) -> Result<SeccompCondition, BackendError> {
    is(argument, Qword, MaskedEq(bits as u64), 0)
}

/// `PROT_EXEC` is not asked for.
fn without_execution() -> Result<SeccompCondition, BackendError> {
    with_bits_clear(2, libc::PROT_EXEC)
}

/// The number of this process, which starting a program does not change.
fn is_self() -> Result<SeccompCondition, BackendError> {
    is(0, Dword, Eq, u64::from(std::process::id()))
}

/// What does not make a descriptor send signals to others.
fn descriptor_flags() -> Result<Vec<SeccompRule>, BackendError> {
    let harmless = [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];
    harmless.into_iter().map(|command| all(vec![is(1, Dword, Eq, command as u64)?])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_reaches_out_is_on_a_list() {
        let lists = every(&[PLAIN, PLAIN_HERE, NAMES, NAMES_HERE, TRIED, PROGRAM, PROGRAM_HERE]);
        for call in [
            libc::SYS_socket,
            libc::SYS_connect,
            libc::SYS_bind,
            libc::SYS_kill,
            libc::SYS_tkill,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_clone,
            libc::SYS_execveat,
            libc::SYS_unlinkat,
            libc::SYS_renameat2,
            libc::SYS_fchmod,
            libc::SYS_fchmodat,
            libc::SYS_fchownat,
            libc::SYS_utimensat,
            libc::SYS_fsetxattr,
            libc::SYS_ftruncate,
            libc::SYS_fallocate,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_bpf,
            libc::SYS_io_uring_setup,
            libc::SYS_userfaultfd,
            libc::SYS_keyctl,
            libc::SYS_seccomp,
        ] {
            assert!(!lists.contains_key(&call), "{call}");
        }
    }

    #[test]
    fn a_list_has_no_call_twice() {
        for lists in [&[PLAIN, PLAIN_HERE, NAMES, NAMES_HERE, TRIED][..], &[PLAIN, PLAIN_HERE, PROGRAM, PROGRAM_HERE]] {
            assert_eq!(every(lists).len(), lists.iter().map(|list| list.len()).sum::<usize>());
        }
    }
}
