import Kernel
import Synchronization

/// Writes the lines of one target, in batches. Several logs may share it: lines never mix.
///
/// Nothing waits for a reader or a full disk: lines are kept up to `limit` bytes, further ones are dropped and counted, and
/// what was begun is finished first, so that no line is ever half there. Only the feed's thread may use it, apart from
/// `reopen`.
package final class LogWriter: @unchecked Sendable {
    /// Bytes that are kept for a reader that is behind.
    static var limit: Int { 1 << 20 }
    /// Bytes at which a batch is written at once.
    private static var batch: Int { 65_536 }

    /// Where the lines go.
    package let target: LogTarget
    private let open: (LogTarget) throws(SystemError) -> any LogDevice
    private let state: LogWriterReports
    private let wantsReopen = Atomic(false)
    private let limit: Int

    private var device: (any LogDevice)?
    private var lines = LogBuffer()
    /// The first line is half written.
    private var isPartial = false
    /// The device that has the half line, once it is open no more.
    private var former: (any LogDevice)?
    /// The log that wrote last.
    private var lastCounts: LogCounts?
    /// Nothing more can be written in this round.
    private var isBlocked = false
    /// When a target that failed is tried again.
    private var retryAt: Instant?
    private var framing = SyslogFraming()

    /// A writer that opens its target with the first line. `report` gets what an operator should know; it is called on the
    /// feed's thread.
    package convenience init(_ target: LogTarget, report: @escaping @Sendable (LogReport) -> Void) {
        self.init(target, limit: Self.limit, report: report) { (target) throws(SystemError) in try target.open() }
    }

    init(
        _ target: LogTarget, limit: Int, report: @escaping @Sendable (LogReport) -> Void,
        open: @escaping (LogTarget) throws(SystemError) -> any LogDevice
    ) {
        self.target = target
        self.limit = limit
        self.open = open
        state = LogWriterReports(target, report)
    }

    /// Has the target opened anew before the next batch: its file was moved away. Any thread may call it.
    package func reopen() { wantsReopen.store(true, ordering: .relaxed) }

    /// Adds a line that `compose` appends, without its end. It is dropped if too much waits already.
    func append(_ counts: LogCounts, _ compose: (inout LogBuffer) -> Void) {
        let before = lines.count
        guard before < limit else { return drop(counts) }
        compose(&lines)
        lines.append(UInt8(ascii: "\n"))
        guard lines.count <= limit else {
            lines.truncate(to: before)
            return drop(counts)
        }
        counts.countWritten()
        if lastCounts !== counts { lastCounts = counts }
        if lines.count >= Self.batch, !isBlocked { write(at: nil) }
    }

    private func drop(_ counts: LogCounts) {
        counts.countDropped()
        state.dropped += 1
    }

    /// Writes what there is, as far as it is taken.
    func flush(at now: Instant) {
        if wantsReopen.exchange(false, ordering: .relaxed), device != nil || retryAt != nil { openAnew() }
        isBlocked = retryAt.map { now < $0 } ?? false
        if !isBlocked { write(at: now) }
        state.report(at: now, isWaiting: retryAt != nil || !lines.isEmpty)
    }

    /// Writes what there is, and waits for its reader until `deadline`.
    func finish(until deadline: Instant) {
        flush(at: .now())
        let pause = try? Wake()
        while !lines.isEmpty, retryAt == nil, Instant.now() < deadline {
            pause?.sleep(milliseconds: 5)
            flush(at: .now())
        }
    }

    // MARK: - Opening

    private func openAnew() {
        switch target {
        case .standardOutput, .standardError: return
        case .file, .syslog, .udp: break
        }
        if isPartial, let device { writeSome(to: device, at: nil) }
        do throws(SystemError) {
            let new = try open(target)
            // What waits is for the new file, but for the rest of a line.
            if former == nil { former = device }
            device = new
            retryAt = nil
        } catch {
            state.failed(error, doing: .reopening)
        }
    }

    private func ready(at now: Instant?) -> (any LogDevice)? {
        if device == nil {
            do throws(SystemError) {
                device = try open(target)
            } catch {
                fail(error, at: now)
                return nil
            }
        }
        guard let device else { return nil }
        if isPartial, let former, !device.continues(former) { skipHalfLine() }
        former = nil
        return device
    }

    /// The rest of a line whose beginning is somewhere else is no use.
    private func skipHalfLine() {
        let end = lines.bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? lines.count
        lines.consume(end)
        isPartial = false
        dropWritten()
    }

    /// A line that was counted as written is lost.
    private func dropWritten() {
        lastCounts?.countDropped()
        state.dropped += 1
    }

    // MARK: - Writing

    /// `now`: nil in the middle of a round.
    private func write(at now: Instant?) {
        guard !lines.isEmpty, let device = ready(at: now) else { return }
        while !lines.isEmpty, !isBlocked {
            if device.takesDatagrams { sendLine(to: device, at: now) } else { writeSome(to: device, at: now) }
        }
    }

    /// One write, of whole lines as far as they fit into one.
    private func writeSome(to device: any LogDevice, at now: Instant?) {
        let bytes = UnsafeRawBufferPointer(rebasing: lines.bytes.prefix(device.batch))
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
        switch device.write(UnsafeRawBufferPointer(rebasing: bytes[..<whole])) {
        case .bytes(0), .wouldBlock: isBlocked = true
        case .bytes(let count):
            isPartial = lines.bytes[count - 1] != UInt8(ascii: "\n")
            lines.consume(count)
            succeed()
        case .failed(let error): fail(error, at: now)
        }
    }

    private func sendLine(to device: any LogDevice, at now: Instant?) {
        let end = lines.bytes.firstIndex(of: UInt8(ascii: "\n")) ?? lines.count
        let line = UnsafeRawBufferPointer(rebasing: lines.bytes[..<end])
        let result = framing.withMessage(of: line, for: target) { device.write($0) }
        switch result {
        case .wouldBlock: isBlocked = true
        case .bytes:
            lines.consume(end + 1)
            succeed()
        case .failed(let error) where error.code == ErrorNumber.messageTooLong:
            lines.consume(end + 1)
            state.failed(error, doing: .writing)
            dropWritten()
        case .failed(let error): fail(error, at: now)
        }
    }

    private func succeed() {
        retryAt = nil
        state.succeeded()
    }

    /// Tries again in a second. A reader that left is looked for anew; a full disk stays the same file.
    private func fail(_ error: SystemError, at now: Instant?) {
        isBlocked = true
        retryAt = (now ?? .now()) + .seconds(1)
        state.failed(error, doing: .writing)
        let isFull = ErrorNumber.isDiskFull(error.code)
        guard !isFull, let device else { return }
        switch target {
        case .standardOutput, .standardError: break
        case .file, .syslog, .udp:
            if former == nil { former = device }
            self.device = nil
        }
    }
}
