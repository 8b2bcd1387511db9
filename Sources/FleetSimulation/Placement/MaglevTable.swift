/// The lookup table of Maglev hashing (Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer",
/// 2016, section 3.4): each server has a permutation of all places of the table, and the servers take turns in which each
/// claims the first place of its permutation that is still free.
package struct MaglevTable: Sendable {
    /// A server's permutation: its n-th place is (offset + n * skip) modulo the table's size.
    package struct Permutation: Equatable, Sendable {
        let offset: Int
        let skip: Int

        /// `offset` is below the table's size, `skip` from 1 up to it.
        package init(offset: Int, skip: Int) {
            self.offset = offset
            self.skip = skip
        }

        /// The permutation of a server's tag. The paper asks for two hashes of the name and leaves open which.
        init(tag: UInt64, size: Int) {
            let (first, second) = (RandomNumbers.mixed(tag &+ 1), RandomNumbers.mixed(~tag))
            offset = Int(first % UInt64(size))
            skip = Int(second % UInt64(size - 1)) + 1
        }
    }

    /// By place, the server that has it.
    package private(set) var places: [Int32]

    /// A table of servers, named by their number in the list; those that are not present get no place.
    ///
    /// - Parameter size: A prime, so that every skip leads through all places; more than there are servers.
    package init(_ permutations: [Permutation], size: Int, isPresent: (Int) -> Bool = { _ in true }) {
        places = Array(repeating: -1, count: size)
        var taking = permutations.indices.filter(isPresent).map { (server: Int32($0), next: permutations[$0].offset) }
        guard !taking.isEmpty else { return }
        var left = size
        while left > 0 {
            for index in taking.indices where left > 0 {
                let skip = permutations[Int(taking[index].server)].skip
                var place = taking[index].next
                while places[place] >= 0 { place = Self.after(place, skip, size) }
                places[place] = taking[index].server
                taking[index].next = Self.after(place, skip, size)
                left -= 1
            }
        }
    }

    /// The server of a key; nil: there is none.
    package func server(of key: UInt64) -> Int? {
        let server = places[Int(RandomNumbers.mixed(key) % UInt64(places.count))]
        return server < 0 ? nil : Int(server)
    }

    private static func after(_ place: Int, _ skip: Int, _ size: Int) -> Int {
        let next = place + skip
        return next < size ? next : next - size
    }

    /// The size of the table for so many servers: the first prime from a hundred times as many, which the paper holds to be
    /// enough for shares that differ by 1 % at most.
    package static func size(servers: Int) -> Int {
        var size = max(3, servers * 100)
        while !isPrime(size) { size += 1 }
        return size
    }

    private static func isPrime(_ number: Int) -> Bool {
        guard number > 3 else { return number > 1 }
        guard number % 2 != 0 else { return false }
        var divisor = 3
        while divisor * divisor <= number {
            if number % divisor == 0 { return false }
            divisor += 2
        }
        return true
    }
}
