import Load

/// What stands in front of the servers: Berth, or another balancer in its place.
protocol Front: AnyObject {
    /// As tables name it.
    var name: String { get }
    /// Where clients go.
    var target: Target { get }
    /// In a few words how it keeps sessions with their servers.
    var affinity: String { get }
    /// The number of its main process.
    var pid: Int32 { get }

    /// Starts it, and waits until it takes connections.
    func start() throws(ProveError)
    /// Does something to it. Returns at once; what it runs for that ends later (`poll`).
    func perform(_ disturbance: Disturbance) throws(ProveError) -> FrontOutcome
    /// What has ended since the last call, each in a line.
    func poll() -> [String]
    /// Ends it, and all its processes.
    func end()
}

/// What became of a disturbance.
enum FrontOutcome: Equatable {
    /// It was done, or has begun; in words.
    case done(String)
    /// The balancer does not know it; the reason.
    case skipped(String)
}
