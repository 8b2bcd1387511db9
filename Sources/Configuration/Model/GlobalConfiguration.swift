/// `[global]`: what concerns the process, not one listener or upstream.
package struct GlobalConfiguration: Sendable, Equatable {
    /// Worker threads, 0...1024; 0 is one per core.
    package var workers = 0
    /// Where the admin pages are served in plain HTTP; nil serves none.
    package var admin: ListenAddress?
    /// How long a stopping process waits for its calls and streams before it cuts them.
    package var drainTimeout = Duration.seconds(300)
    /// What session ids are signed with; nil makes a key that dies with the process, and its sessions with it.
    package var secret: SecretSource?

    package init() {}
}

/// Where the session keys come from.
package enum SecretSource: Sendable, Equatable {
    /// A file of keys, newest first; made with mode 0600 where there is none.
    case file(String)
    /// The key itself, 32 bytes, from the environment or the file.
    case key([UInt8])
}
