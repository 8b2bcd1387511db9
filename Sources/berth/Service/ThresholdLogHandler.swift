import Logging
import Proxy

/// Writes what another handler writes, from a level on that can be changed while the process runs.
struct ThresholdLogHandler: LogHandler {
    private var handler: any LogHandler
    private let threshold: LogThreshold

    init(_ handler: some LogHandler, _ threshold: LogThreshold) {
        var handler: any LogHandler = handler
        handler.logLevel = .trace
        self.handler = handler
        self.threshold = threshold
    }

    /// That of all loggers of the process.
    var logLevel: Logger.Level {
        get { threshold.level }
        set { threshold.level = newValue }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { handler.log(event: event) }
}
