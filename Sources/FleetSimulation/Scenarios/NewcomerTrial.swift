/// What one server that is added to a fleet gets in its first minute.
package struct NewcomerResult: Equatable, Sendable, Codable {
    /// How new sessions are placed.
    package var policy: PlacementPolicy
    /// `slow_start` in seconds; 0: none.
    package var slowStartSeconds: Double
    /// New sessions that every server gets in a second, in the mean.
    package var meanPerSecond: Double
    /// The most that the newcomer got in one second.
    package var mostInOneSecond: Int
    /// What it got in the first ten seconds, as a multiple of the mean.
    package var firstTen: Double
    /// What it got in the minute, as a multiple of the mean.
    package var minute: Double

    /// Adds a server to a fleet and lets a minute pass.
    static func trial(_ fleet: Fleet, slowStart: Double) -> NewcomerResult {
        var fleet = fleet
        let newcomer = fleet.placement.count
        fleet.resize(to: newcomer + 1)
        if slowStart > 0 {
            fleet.placement.startSlowly([newcomer], since: UInt64(fleet.clock * 1e9), seconds: slowStart)
        }
        var perSecond: [Int] = []
        for _ in 0..<60 {
            fleet.forgetArrivals()
            fleet.pass(seconds: 1)
            perSecond.append(Int(fleet.arrivals[newcomer]))
        }
        let mean = 1 / fleet.plan.secondsPerArrival / Double(newcomer + 1)
        return NewcomerResult(
            policy: fleet.policy, slowStartSeconds: slowStart, meanPerSecond: mean,
            mostInOneSecond: perSecond.max() ?? 0,
            firstTen: Double(perSecond.prefix(10).reduce(0, +)) / (mean * 10),
            minute: Double(perSecond.reduce(0, +)) / (mean * 60))
    }
}
