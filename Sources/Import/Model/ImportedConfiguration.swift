import Configuration

/// What a source says, in Berth's terms: between the translations and the writer.
struct ImportedConfiguration {
    /// Threads; nil: one per core.
    var workers: Int?
    /// Whether calls are logged.
    var hasAccessLog = false
    /// Lines that belong to the process.
    var blocks: [SourceBlock] = []
    /// In the order of the source.
    var listeners: [ImportedListener] = []
    /// In the order in which they are tried.
    var routes: [ImportedRoute] = []
    /// In the order of the source.
    var upstreams: [ImportedUpstream] = []
    /// What has become of each line.
    var notes = NoteBook()

    /// Whether the source has more in it than `maximumRoutes` and `maximumUpstreams`.
    var isTooLarge = false

    /// The longest lists that are written, so that no source makes an endless file.
    static let maximumRoutes = 5_000
    static let maximumUpstreams = 1_000

    /// Throws if nothing is balanced, or too much.
    func check(file: String) throws(ConfigurationErrors) {
        let errors = SourceError(file: file, bytes: [])
        guard !isTooLarge, upstreams.count <= Self.maximumUpstreams else {
            throw errors.whole(
                "too large for one file",
                because:
                    "what is written has at most \(Self.maximumRoutes) routes and \(Self.maximumUpstreams) upstreams")
        }
        guard !upstreams.isEmpty else {
            throw errors.whole(
                "nothing in this file can be balanced",
                because: "nothing that answers leads to servers with addresses, or to an upstream that has some")
        }
    }
}
