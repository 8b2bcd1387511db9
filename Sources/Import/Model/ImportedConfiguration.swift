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

    /// The longest lists that are written, so that no source makes an endless file.
    static let maximumRoutes = 5_000
}
