/// The number of an open file or socket. It is a plain value and closes nothing: the owner closes it, once, through the
/// `World` it came from.
public struct Descriptor: Hashable, Sendable {
    /// The number as the kernel knows it.
    public let raw: CInt

    /// Names a descriptor by its number; nothing is opened or checked.
    @inlinable
    public init(_ raw: CInt) {
        self.raw = raw
    }

    /// No descriptor (−1): of a connection that has none yet.
    @inlinable
    public static var none: Descriptor { Descriptor(-1) }
}
