/// What lies between a peer's script and its socket: the script's bytes go through it, and so do those that arrive.
package protocol PeerLayer: AnyObject {
    /// The script may begin.
    var isReady: Bool { get }
    /// The connection is open: what goes on the wire before the script says anything.
    func begin() -> [UInt8]
    /// The form in which bytes of the script go on the wire.
    func write(_ bytes: [UInt8]) -> [UInt8]
    func read(_ bytes: [UInt8]) -> LayerReading
    /// What tells the other end that nothing more will be sent.
    func finish() -> [UInt8]
}

/// What came of bytes from the wire.
package struct LayerReading {
    package var plaintext: [UInt8] = []
    /// What the layer has to say by itself.
    package var outgoing: [UInt8] = []
    /// The other end has said that it sends no more.
    package var hasEnded = false
    /// The layer is in error: the connection is to be closed once `outgoing` is out.
    package var hasFailed = false

    package init() {}
}
