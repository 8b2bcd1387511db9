import Kernel
import Reactor

/// Deadlines of clients. Each client has one at a time; what it means follows from the client's phase.
extension ClientConnections {
    /// Has the client looked at no later than `deadline`.
    mutating func setDeadline(_ client: Handle, _ deadline: Instant, _ clock: inout Clock) {
        slab[client].deadline = deadline
        deadlines.arm(client.slot, at: deadline, now: clock.now, in: &clock.timers)
    }

    /// The client is ready for a request head: its first within the head timeout, others within the idle timeout.
    mutating func awaitRequest(_ client: Handle, _ clock: inout Clock) {
        slab[client].phase = .reading
        slab[client].needed = 0
        slab[client].gathering = .nothing
        slab[client].pace = 0
        slab[client].exchange = .none
        let listener = listener(of: client)
        let timeout =
            slab[client].hasServed ? listeners[listener].plan.idleTimeout : listeners[listener].plan.headTimeout
        setDeadline(client, clock.now + timeout, &clock)
    }

    /// A body begins to be gathered.
    mutating func beginBody(_ client: Handle, at now: Instant) {
        slab[client].pace = ClientConnections.seconds(now)
    }

    private static func seconds(_ instant: Instant) -> UInt16 {
        UInt16(truncatingIfNeeded: instant.nanoseconds / 1_000_000_000)
    }

    /// More of a gathered body is to come: within the body timeout, and at the least rate in the long run. What is gathered
    /// has at most 64 KiB, so that the long run is a minute.
    private mutating func armGatheredBodyTimeout(_ client: Handle, _ clock: inout Clock) {
        let timeout = listeners[listener(of: client)].plan.bodyTimeout
        let elapsed = Interval.seconds(UInt64(ClientConnections.seconds(clock.now) &- slab[client].pace))
        let earned = Interval.seconds(UInt64(slab[client].transport.input.count) / Exchange.leastUploadRate)
        let left = timeout.nanoseconds &+ earned.nanoseconds
        let wait = min(timeout.nanoseconds, left > elapsed.nanoseconds ? left - elapsed.nanoseconds : 0)
        setDeadline(client, clock.now + Interval(nanoseconds: wait), &clock)
    }

    /// A part of a request is here. A head's time runs from its first byte, a gathered body's from its last.
    mutating func armReadTimeout(_ client: Handle, _ clock: inout Clock) {
        if slab[client].gathering.isBody {
            armGatheredBodyTimeout(client, &clock)
        } else if slab[client].needed > 0, slab[client].gathering == .nothing {
            slab[client].gathering = .head
            setDeadline(client, clock.now + listeners[listener(of: client)].plan.headTimeout, &clock)
        }
    }

    /// More of a request body is to come.
    mutating func armBodyTimeout(_ client: Handle, _ clock: inout Clock) {
        setDeadline(client, clock.now + listeners[listener(of: client)].plan.bodyTimeout, &clock)
    }

    /// The same for a body that is sent on as it comes: time that its bytes have not earned counts as waiting.
    mutating func armBodyTimeout(_ client: Handle, pacedFrom pace: Instant, _ clock: inout Clock) {
        setDeadline(client, min(clock.now, pace) + listeners[listener(of: client)].plan.bodyTimeout, &clock)
    }

    // MARK: - Output

    /// Output begins to wait: a client that takes nothing for as long as an idle one may stay is closed. One that was slow
    /// before has as much less time.
    mutating func armWriteTimeout(_ client: Handle, _ clock: inout Clock) {
        let timeout = listeners[listener(of: client)].plan.idleTimeout.nanoseconds
        let lag = slab[client].gathering.isBody ? 0 : UInt64(slab[client].pace) * ClientConnection.lagUnit
        setDeadline(client, clock.now + Interval(nanoseconds: timeout > lag ? timeout - lag : 0), &clock)
    }

    /// The client has taken so many bytes of what waits. If `isPaced` it must do so at the least rate in the long run: its bytes
    /// prolong its time by what they have earned, and not beyond the whole of it.
    mutating func noteTaken(_ client: Handle, _ count: Int, isPaced: Bool, _ clock: inout Clock) {
        let latest = clock.now + listeners[listener(of: client)].plan.idleTimeout
        let deadline = slab[client].deadline
        guard isPaced, deadline != .never else {
            setDeadline(client, latest, &clock)
            return
        }
        setDeadline(client, min(latest, deadline + ClientConnections.earned(count)), &clock)
    }

    /// The client has taken the last `count` bytes that waited. If it was slow, that is remembered for when output waits again.
    mutating func disarmWriteTimeout(_ client: Handle, _ count: Int, isPaced: Bool, at now: Instant) {
        let deadline = slab[client].deadline + ClientConnections.earned(count)
        slab[client].deadline = .never
        let latest = now + listeners[listener(of: client)].plan.idleTimeout
        let lag = isPaced ? (latest - deadline).nanoseconds / ClientConnection.lagUnit : 0
        slab[client].pace = UInt16(clamping: lag)
    }

    /// The time that so many bytes take at the least rate.
    private static func earned(_ count: Int) -> Interval {
        let (nanoseconds, overflow) = UInt64(max(0, count))
            .multipliedReportingOverflow(by: 1_000_000_000 / Exchange.leastUploadRate)
        return overflow ? .unlimited : Interval(nanoseconds: nanoseconds)
    }
}
