/// A server of Redis or Valkey in which several Berths keep what they share.
package struct StoreConfiguration: Sendable, Equatable {
    /// A host name in lower case, or an IP address without brackets.
    package var host: String
    /// The port, 1...65535.
    package var port: UInt16 = 6379
    /// Whether it is spoken with over TLS.
    package var isSecure = false
    /// Who asks; empty: the default user.
    package var user = ""
    /// The password; nil: none is asked for. Not to be logged.
    package var password: String?
    /// Which of its numbered databases, 0...65535.
    package var database = 0
    /// Path of a PEM file: the authorities it is verified against; nil: those of the system.
    package var authorities: String?
    /// How long a request waits for it.
    package var wait = Duration.milliseconds(50)
    /// The URL as it stands in the file, without what variables hold.
    package var written = ""

    package init(host: String) { self.host = host }
}
