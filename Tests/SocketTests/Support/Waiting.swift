import Glibc
import Kernel
import TestSupport

/// A condition did not hold before its deadline.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// The default time after which a wait fails. It is long, so that only a defect reaches it.
let defaultTimeout = Interval.seconds(60)

/// Polls until `condition` holds. Throws `TimedOut` after `limit`.
func eventually(
    _ what: @autoclosure () -> String, within limit: Interval = defaultTimeout, _ condition: () throws -> Bool
) throws {
    let deadline = Instant.now() + limit
    while try !condition() {
        if Instant.now() >= deadline {
            // This thread may not have run for long.
            if try condition() { return }
            throw TimedOut(description: "still not: \(what())")
        }
        pause(milliseconds: 1)
    }
}

/// Lets other threads run between two polls.
func pause(milliseconds: CInt) {
    _ = poll(nil, 0, milliseconds)
}

/// Waits until `descriptor` is ready for `events`; false when the deadline has come.
func isReady(_ descriptor: CInt, for events: Int32, until deadline: Instant) -> Bool {
    var one = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    let left = (deadline - Instant.now()).nanoseconds / 1_000_000
    return poll(&one, 1, CInt(clamping: left + 1)) == 1
}

/// The index of the first `mark` in `bytes` from `start` on.
func find(_ mark: StaticString, in bytes: [UInt8], from start: Int) -> Int? {
    let count = mark.utf8CodeUnitCount
    return bytes.withUnsafeBytes { buffer in
        guard let base = buffer.baseAddress else { return nil }
        var position = max(0, start)
        while buffer.count - position >= count {
            guard let found = memchr(base + position, CInt(mark.utf8Start[0]), buffer.count - position - count + 1)
            else { return nil }
            if memcmp(found, mark.utf8Start, count) == 0 { return UnsafeRawPointer(found) - base }
            position = UnsafeRawPointer(found) - base + 1
        }
        return nil
    }
}

/// The descriptors and the memory of a process, as the kernel counts them.
struct ProcessResources {
    let process: pid_t

    /// False with the address sanitizer, which pads allocations and delays frees, so that memory is meaningless.
    static let isMeaningful = dlsym(nil, "__asan_init") == nil

    /// The number of open descriptors.
    var descriptors: Int {
        guard let folder = opendir("/proc/\(process)/fd") else { return -1 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without "." and "..".
        return count - 2
    }

    /// Anonymous memory in bytes.
    var anonymousBytes: Int {
        guard let file = fopen("/proc/\(process)/smaps_rollup", "r") else { return -1 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("Anonymous:") else { continue }
            let words = text.split(separator: " ")
            return words.count > 1 ? (Int(words[1]) ?? -1) * 1_024 : -1
        }
        return -1
    }
}

/// Unlimited bytes that are cheap to make and to check: seeded random bytes, repeated. The period is prime, so that a
/// lost or repeated piece of any usual buffer size is detected.
enum Pattern {
    static let period = 65_521
    /// Two periods, so that `period` bytes from any offset are contiguous.
    static let bytes: [UInt8] = {
        var generator = SeededGenerator(seed: 20_260_728)
        let once = generator.bytes(period)
        return once + once
    }()

    /// The first `count` bytes.
    static func prefix(_ count: Int) -> [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(count)
        while all.count < count { all += bytes.prefix(min(period, count - all.count)) }
        return all
    }

    /// Whether `piece` equals the pattern at `offset`.
    static func matches(_ piece: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var position = 0
        while position < piece.count {
            let part = min(period, piece.count - position)
            let phase = (offset + position) % period
            let isSame = bytes.withUnsafeBytes { bytes in
                guard let left = piece.baseAddress, let right = bytes.baseAddress else { return false }
                return memcmp(left + position, right + phase, part) == 0
            }
            guard isSame else { return false }
            position += part
        }
        return true
    }
}
