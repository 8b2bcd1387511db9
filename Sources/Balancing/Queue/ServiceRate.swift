/// How fast a queue is served, for the answer to whoever finds no place in it: when to come again.
///
/// Two windows of five seconds slide over each other, so that the rate follows within seconds and needs no history.
package struct ServiceRate: Sendable {
    private var began: UInt64 = 0
    private var served: UInt64 = 0
    /// Served in the window before.
    private var before: UInt64 = 0

    private static var window: UInt64 { 5_000_000_000 }

    /// Nothing was served yet.
    package init() {}

    /// A waiter was served. `now` is in nanoseconds and never goes back.
    package mutating func noteServed(at now: UInt64) {
        roll(to: now)
        served += 1
    }

    /// Seconds until `waiting` waiters will have been served at the present rate, 1...30; nil if nothing was served of late.
    package mutating func secondsToServe(_ waiting: Int64, at now: UInt64) -> UInt8? {
        roll(to: now)
        let left = Self.window - min(Self.window, now &- began)
        // In the last five seconds: all of this window, and the part of the one before that has not slid out.
        let recent = Double(served) + Double(before) * (Double(left) / Double(Self.window))
        guard recent > 0 else { return nil }
        let seconds = Double(max(0, waiting)) * 5 / recent
        return UInt8(min(30, max(1, seconds.rounded(.up))))
    }

    private mutating func roll(to now: UInt64) {
        guard now &- began >= Self.window else { return }
        before = now &- began >= 2 * Self.window ? 0 : served
        served = 0
        began = now
    }
}
