package import Kernel

/// The environment variable by which a process tells its successor which descriptors it has inherited.
///
/// Its value is a list with semicolons: the version of the format, the channel between the two, and the listeners, each
/// with the address it is configured with, the one it is bound to where that is another, and a socket for each worker, with a
/// star if it is systemd's: `1;channel=7;[::]:443=8*,9;127.0.0.1:0>127.0.0.1:40211=10`.
package struct HandoverVariable: Equatable, Sendable {
    /// The variable's name.
    package static var name: String { "BERTH_UPGRADE" }

    /// The end of the channel that belongs to the new process.
    package var channel: Descriptor
    /// The listeners' sockets.
    package var addresses: [InheritedSockets.Address]

    package init(channel: Descriptor, addresses: [InheritedSockets.Address]) {
        self.channel = channel
        self.addresses = addresses
    }

    /// The variable's value.
    package var value: String {
        let listeners = addresses.map { address in
            let bound = address.actual == address.configured ? "" : ">\(address.actual)"
            let numbers = address.descriptors.map { "\($0.raw)\(address.borrowed.contains($0) ? "*" : "")" }
                .joined(separator: ",")
            return "\(address.configured)\(bound)=\(numbers)"
        }
        return (["1", "channel=\(channel.raw)"] + listeners).joined(separator: ";")
    }

    /// Reads a value. Nil if it is of another version, malformed, or names a descriptor twice or one of the three standard
    /// ones.
    package init?(_ value: String) {
        let parts = value.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "1", parts[1].hasPrefix("channel=") else { return nil }
        var seen: Set<CInt> = []
        guard let channel = Self.descriptors(parts[1].dropFirst(8), &seen), channel.count == 1 else { return nil }
        self.channel = channel[0]
        addresses = []
        for part in parts.dropFirst(2) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let descriptors = Self.descriptors(sides[1], &seen) else { return nil }
            let names = sides[0].split(separator: ">", omittingEmptySubsequences: false)
            let found = names.compactMap { SocketAddress(String($0)) }
            guard let first = found.first, let last = found.last, found.count == names.count, names.count <= 2 else {
                return nil
            }
            let borrowed = zip(sides[1].split(separator: ","), descriptors).filter { $0.0.hasSuffix("*") }.map(\.1)
            addresses.append(
                .init(configured: first, actual: last, descriptors: descriptors, borrowed: Set(borrowed)))
        }
    }

    private static func descriptors(_ text: Substring, _ seen: inout Set<CInt>) -> [Descriptor]? {
        var found: [Descriptor] = []
        for number in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let raw = CInt(number.hasSuffix("*") ? number.dropLast() : number), raw > 2, seen.insert(raw).inserted
            else { return nil }
            found.append(Descriptor(raw))
        }
        return found
    }
}
