/// `[global]`: settings of the process.
package struct GlobalConfiguration: Sendable, Equatable {
    /// Worker threads, 0...1024; 0 means one per core.
    package var workers = 0
    /// The address of the admin pages, in plain HTTP; nil for none.
    package var admin: ListenAddress?
    /// The path of the Unix socket with the admin pages, for this user and root; nil for none.
    package var adminSocket: String?
    /// Names by which clients may reach `admin`, in lower case, beside addresses and names without a dot.
    package var adminHosts: [String] = []
    /// What changes on the admin address need; nil: none can be made there.
    package var adminToken: TokenSource?
    /// The file is read again when it changes.
    package var watch = false
    /// How long a stopping process says that it is not ready before its listeners close.
    package var drainDelay = Duration.zero
    /// How long a stopping process waits for its requests and streams before it closes them.
    package var drainTimeout = Duration.seconds(300)
    /// How long a new process may take at an upgrade until it is ready.
    package var upgradeTimeout = Duration.seconds(60)
    /// Bytes of memory in use at which new work is turned away, 64 MiB...1 TiB; nil: none.
    package var memoryLimit: Int?
    /// The file that holds the id of the process that serves; nil for none.
    package var pidFile: String?
    /// The keys that session ids are signed with; nil: the default key file.
    package var secret: SecretSource?
    /// Where spans of calls go; nil: none are made.
    package var trace: TraceConfiguration?
    /// The log of all exchanges; nil for none.
    package var accessLog: AccessLogConfiguration?
    /// The log of slow calls; nil for none.
    package var slowLog: SlowLogConfiguration?
    /// The log of who did what; nil for none.
    package var auditLog: AuditLogConfiguration?

    package init() {}
}

/// The source of a token that people or programs show.
package enum TokenSource: Sendable, Equatable {
    /// A file whose first line is the token.
    case file(String)
    /// The token itself, from the environment.
    case text(String)

    /// Its fewest characters.
    package static var minimumLength: Int { 16 }
}

/// The source of the signing keys.
package enum SecretSource: Sendable, Equatable {
    /// A file of keys, newest first; created with mode 0600 if it does not exist.
    case file(String)
    /// The key itself, 32 bytes, from the environment.
    case key([UInt8])
}
