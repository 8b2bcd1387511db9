/// The number of an open file or socket. A plain value: whoever holds it in a slab closes it through the `World`
/// it came from, once.
public struct Descriptor: Hashable, Sendable {
    public let raw: CInt

    @inlinable
    public init(_ raw: CInt) {
        self.raw = raw
    }

    /// Stands for "no descriptor" in a connection that has not got one yet.
    @inlinable
    public static var none: Descriptor { Descriptor(-1) }
}
