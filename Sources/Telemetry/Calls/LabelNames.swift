import Synchronization

/// The names of tools and prompts that become labels. A name becomes one when its server has listed it, or has answered a call
/// of it well; of each upstream no more than a limit of either kind. Anybody can make up names, but not that.
///
/// Any thread may look a name up, without a lock; adding one takes a lock. Its memory is never freed.
struct LabelNames: ~Copyable, Sendable {
    /// What a name is of.
    enum Kind: UInt32, CaseIterable {
        case tool = 0
        case prompt = 1
    }

    private static var slots: Int { 8_192 }
    /// Names of all upstreams together.
    static var maximum: Int { 4_096 }
    /// Places that are looked at for a name.
    private static var probes: Int { 32 }

    /// By place, whose name it is: 0: it is free, 1: it was removed.
    private nonisolated(unsafe) let owners: UnsafeMutablePointer<Atomic<UInt32>>
    /// Written before its owner.
    private nonisolated(unsafe) let names: UnsafeMutablePointer<CallName>
    /// Names of one kind and upstream at most.
    private let limit: Atomic<Int>
    /// How many there are, by owner.
    private let counts: Counters
    private let upstreams: Int
    private let texts = Mutex<[UInt32: Set<String>]>([:])

    init(upstreams: Int, limit: Int) {
        self.upstreams = upstreams
        counts = Counters(upstreams * Kind.allCases.count)
        owners = zeroedMemory(Atomic<UInt32>.self, count: Self.slots)
        names = zeroedMemory(CallName.self, count: Self.slots)
        self.limit = Atomic(limit)
    }

    /// Names of one kind and upstream at most. Those that are there stay.
    var maximumPerUpstream: Int {
        get { limit.load(ordering: .relaxed) }
        nonmutating set { limit.store(max(0, newValue), ordering: .relaxed) }
    }

    @inline(__always)
    private static func owner(_ kind: Kind, _ upstream: UInt16) -> UInt32 {
        (UInt32(upstream) &+ 1) << 8 | kind.rawValue
    }

    @inline(__always)
    private static func hash(_ bytes: UnsafeRawBufferPointer, _ owner: UInt32) -> Int {
        var hash = UInt64(owner)
        hash = hash &+ word(bytes, 0) &* 0x9e37_79b9_7f4a_7c15 &+ word(bytes, 1) &* 0xbf58_476d_1ce4_e5b9
        hash = hash &+ word(bytes, 2) &* 0x94d0_49bb_1331_11eb &+ word(bytes, 3) &* 0xff51_afd7_ed55_8ccd
        hash = hash &+ word(bytes, 4) &* 0xc4ce_b9fe_1a85_ec53 &+ word(bytes, 5) &* 0xd6e8_feb8_6659_fd93
        hash = hash &+ word(bytes, 6) &* 0xa076_1d64_78bd_642f &+ word(bytes, 7) &* 0xe703_7ed1_a0b4_28db
        return Int(truncatingIfNeeded: (hash ^ hash >> 32) & UInt64(slots - 1))
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self)
    }

    /// The number of a name; nil: it is not a label.
    @inline(__always)
    func find(_ name: borrowing CallName, _ kind: Kind, upstream: UInt16) -> CallNameID? {
        let owner = Self.owner(kind, upstream)
        return name.withBytes { bytes in
            var slot = Self.hash(bytes, owner)
            for _ in 0..<Self.probes {
                let found = owners[slot].load(ordering: .acquiring)
                if found == owner, isName(bytes, at: slot) {
                    return CallNameID(raw: UInt16(truncatingIfNeeded: slot &+ 2))
                }
                if found == 0 { return nil }
                slot = (slot &+ 1) & (Self.slots - 1)
            }
            return nil
        }
    }

    @inline(__always)
    private func isName(_ bytes: UnsafeRawBufferPointer, at slot: Int) -> Bool {
        let known = UnsafeRawBufferPointer(start: names + slot, count: MemoryLayout<CallName>.size)
        var difference: UInt64 = 0
        for index in 0..<8 { difference |= Self.word(known, index) ^ Self.word(bytes, index) }
        return difference == 0
    }

    /// Makes a name a label, if there is space for it; nil if there is not, or if it would look like another one.
    func admit(_ name: borrowing CallName, _ kind: Kind, upstream: UInt16) -> CallNameID? {
        let owner = Self.owner(kind, upstream)
        let name = copy name
        guard upstream < upstreams else { return nil }
        return texts.withLock { texts in
            if let id = find(name, kind, upstream: upstream) { return id }
            let known = texts[owner]?.count ?? 0
            guard known < maximumPerUpstream, texts.values.reduce(0, { $0 + $1.count }) < Self.maximum,
                let slot = freeSlot(name.withBytes { Self.hash($0, owner) })
            else { return nil }
            let text = Self.text(of: name)
            guard !text.isEmpty, text != CallSeries.otherName, texts[owner]?.contains(text) != true else { return nil }
            texts[owner, default: []].insert(text)
            count(kind, upstream).pointee.store(Int64(known + 1), ordering: .relaxed)
            names[slot] = name
            owners[slot].store(owner, ordering: .releasing)
            return CallNameID(raw: UInt16(truncatingIfNeeded: slot + 2))
        }
    }

    private func freeSlot(_ home: Int) -> Int? {
        for probe in 0..<Self.probes {
            let slot = (home + probe) & (Self.slots - 1)
            if owners[slot].load(ordering: .relaxed) <= 1 { return slot }
        }
        return nil
    }

    /// Whether an upstream may have another name.
    func hasSpace(_ kind: Kind, upstream: UInt16) -> Bool {
        upstream < upstreams && count(kind, upstream).pointee.load(ordering: .relaxed) < Int64(maximumPerUpstream)
    }

    private func count(_ kind: Kind, _ upstream: UInt16) -> UnsafeMutablePointer<Atomic<Int64>> {
        counts[Int(upstream) * Kind.allCases.count + Int(kind.rawValue)]
    }

    /// The upstream's slot gets another upstream. No worker may use it.
    func reset(upstream: UInt16) {
        texts.withLock { texts in
            for kind in Kind.allCases {
                let owner = Self.owner(kind, upstream)
                guard texts.removeValue(forKey: owner) != nil else { continue }
                count(kind, upstream).pointee.store(0, ordering: .relaxed)
                for slot in 0..<Self.slots where owners[slot].load(ordering: .relaxed) == owner {
                    owners[slot].store(1, ordering: .relaxed)
                }
            }
        }
    }

    /// What stands in a label for a number; nil if it is none, or was removed.
    func text(_ id: CallNameID) -> String? {
        let slot = Int(id.raw) - 2
        guard (0..<Self.slots).contains(slot), owners[slot].load(ordering: .acquiring) > 1 else { return nil }
        return Self.text(of: names[slot])
    }

    /// The name without a character that was cut, and without anything that is no UTF-8.
    private static func text(of name: CallName) -> String {
        let text = name.text
        return Int(name.count) < CallName.maximumBytes ? text : String(text.prefix { $0 != "\u{fffd}" })
    }
}
