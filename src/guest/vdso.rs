//! The vDSO: code of the kernel's in every process that reads the clock without a system call.
//!
//! `clock_gettime` in it is replaced by code that reads a time which the tracer writes before it resumes the process;
//! the other entries become plain system calls, which stop. Where the image is not as expected, it is hidden.

use nix::errno::Errno;

use super::clock::{EPOCH, UPTIME};
use super::host::Host;
use super::memory::{Memory, timespec, u16_at, u32_at, u64_at};

/// What is read of the image.
const IMAGE: usize = 0x2000;
/// Code and time take this much of `__vdso_clock_gettime`.
const PATCH: usize = 0x100;
/// Where the time stands in it: the date, then the monotonic clock.
const TIME_AT: usize = 0xc0;
/// A section with the dynamic symbols (elf(5)).
const SHT_DYNSYM: u32 = 11;
/// `SYS_clock_gettime`.
const CLOCK_GETTIME: u32 = 228;

/// Picks one of two times by the clock's number, and stores it; another clock is asked of the kernel, and stops.
///
/// ```text
///   lea  rax, [rip + 0xb9]             ; the date, at 0xc0
///   test edi, edi ; je date            ; CLOCK_REALTIME
///   cmp  edi, 5   ; je date            ; CLOCK_REALTIME_COARSE
///   cmp  edi, 11  ; je date            ; CLOCK_TAI
///   cmp  edi, 1   ; je mono            ; CLOCK_MONOTONIC
///   cmp  edi, 4   ; je mono            ; CLOCK_MONOTONIC_RAW
///   cmp  edi, 6   ; je mono            ; CLOCK_MONOTONIC_COARSE
///   cmp  edi, 7   ; je mono            ; CLOCK_BOOTTIME
///   mov  eax, 228 ; syscall ; ret
/// mono:
///   mov  rcx, [rax + 16] ; mov rdx, [rax + 24] ; jmp store
/// date:
///   mov  rcx, [rax] ; mov rdx, [rax + 8]
/// store:
///   mov  [rsi], rcx ; mov [rsi + 8], rdx ; xor eax, eax ; ret
/// ```
const READ_TIME: [u8; 75] = [
    0x48, 0x8d, 0x05, 0xb9, 0x00, 0x00, 0x00, 0x85, 0xff, 0x74, 0x30, 0x83, 0xff, 0x05, 0x74, 0x2b,
    0x83, 0xff, 0x0b, 0x74, 0x26, 0x83, 0xff, 0x01, 0x74, 0x17, 0x83, 0xff, 0x04, 0x74, 0x12, 0x83,
    0xff, 0x06, 0x74, 0x0d, 0x83, 0xff, 0x07, 0x74, 0x08, 0xb8, 0xe4, 0x00, 0x00, 0x00, 0x0f, 0x05,
    0xc3, 0x48, 0x8b, 0x48, 0x10, 0x48, 0x8b, 0x50, 0x18, 0xeb, 0x07, 0x48, 0x8b, 0x08, 0x48, 0x8b,
    0x50, 0x08, 0x48, 0x89, 0x0e, 0x48, 0x89, 0x56, 0x08, 0x31, 0xc0,
];
/// `ret`.
const RET: u8 = 0xc3;

/// Where the patched code of a process lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patched {
    pub code_at: u64,
    pub time_at: u64,
}

/// Patches the image at `base`; `None` where it is not as expected, and nothing was changed.
pub(super) fn patch(memory: &mut Memory, base: u64) -> Option<Patched> {
    let image = memory.read(base, IMAGE).ok()?;
    let mut entries = vec![];
    let mut patched = None;
    for (name, value, size) in symbols(&image)? {
        let at = base + value;
        match name.as_slice() {
            b"__vdso_clock_gettime" => {
                if (size as usize) < PATCH && !room_after(&image, value as usize) {
                    return None;
                }
                let mut code = READ_TIME.to_vec();
                code.push(RET);
                entries.push((at, code));
                patched = Some(Patched {
                    code_at: at,
                    time_at: at + TIME_AT as u64,
                });
            }
            b"__vdso_gettimeofday" => entries.push((at, system_call(96))),
            b"__vdso_time" => entries.push((at, system_call(201))),
            b"__vdso_getcpu" => entries.push((at, system_call(309))),
            b"__vdso_clock_getres" => entries.push((at, system_call(229))),
            // mov rax, -ENOSYS; ret
            b"__vdso_getrandom" => {
                entries.push((at, vec![0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, RET]));
            }
            other if other.starts_with(b"__vdso_") && !other.starts_with(b"__vdso_sgx") => {
                return None;
            }
            _ => {}
        }
    }
    let patched = patched?;
    for (at, code) in &entries {
        memory.force(*at, code).ok()?;
    }
    Some(patched)
}

/// Whether nothing else begins within [`PATCH`] octets of the function at `value`.
fn room_after(image: &[u8], value: usize) -> bool {
    let Some(all) = symbols(image) else {
        return false;
    };
    let within = value + 1..value + PATCH;
    value + PATCH <= image.len()
        && !all
            .iter()
            .any(|(_, other, _)| within.contains(&(*other as usize)))
}

/// `mov eax, number; syscall; ret`
fn system_call(number: u32) -> Vec<u8> {
    let mut code = vec![0xb8];
    code.extend(number.to_le_bytes());
    code.extend([0x0f, 0x05, RET]);
    code
}

/// Name, value and size of each dynamic symbol of an ELF image.
fn symbols(image: &[u8]) -> Option<Vec<(Vec<u8>, u64, u64)>> {
    if !image.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (headers, size, count) = (
        u64_at(image, 40) as usize,
        usize::from(u16_at(image, 58)),
        usize::from(u16_at(image, 60)),
    );
    let section = |at: usize| image.get(headers + at * size..headers + (at + 1) * size);
    let table = (0..count).find_map(|at| section(at).filter(|it| u32_at(it, 4) == SHT_DYNSYM))?;
    let names = section(u32_at(table, 40) as usize)?;
    let names_at = u64_at(names, 24) as usize;
    let at = u64_at(table, 24) as usize;
    let all = image.get(at..at.checked_add(u64_at(table, 32) as usize)?)?;
    let symbol = |one: &[u8]| {
        let name = image.get(names_at + u32_at(one, 0) as usize..)?;
        let end = name.iter().position(|octet| *octet == 0)?;
        Some((name[..end].to_vec(), u64_at(one, 8), u64_at(one, 16)))
    };
    all.chunks_exact(24).map(symbol).collect()
}

impl Host {
    /// The patched code of `process` shows this host's time.
    pub(super) fn write_clock(&mut self, process: i32) {
        let now = self.kernel.now;
        let Some(state) = self.kernel.processes.get_mut(&process) else {
            return;
        };
        if state.clock_at == 0 || state.clock == now {
            return;
        }
        state.clock = now;
        let Some(memory) = self.memories.get(&process) else {
            return;
        };
        let mut times = [0; 32];
        times[..16].copy_from_slice(&timespec(now + EPOCH));
        times[16..].copy_from_slice(&timespec(now + UPTIME));
        let _ = memory.force(state.clock_at, &times);
    }

    /// From now on every look at the clock stops, and so counts.
    pub(super) fn count_clock(&mut self, process: i32) {
        let Some(state) = self.kernel.processes.get_mut(&process) else {
            return;
        };
        let code_at = std::mem::take(&mut state.clock_code_at);
        state.clock_at = 0;
        if code_at != 0
            && let Some(memory) = self.memories.get(&process)
        {
            let _: Result<(), Errno> = memory.force(code_at, &system_call(CLOCK_GETTIME));
        }
    }
}
