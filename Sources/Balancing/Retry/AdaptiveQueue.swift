/// Work that begins one after the other, with no more under way at a time than an `AdaptiveLimit` allows. The owner does the work;
/// for each element that it takes it says `release`. Times are monotonic nanoseconds.
package struct AdaptiveQueue<Element> {
    /// How a piece of work went.
    package enum Course {
        /// It was done, and had begun at that time.
        case done(from: UInt64)
        /// It was given up because it took too long, and had begun at that time.
        case timedOut(from: UInt64)
    }

    private var waiting: [Element] = []
    /// Index of the next one in `waiting`.
    private var first = 0
    private var active = 0
    private var limit: AdaptiveLimit

    /// An empty queue for what `servers` servers do: one for each to begin with, and never fewer than eight.
    package init(servers: Int) { limit = AdaptiveLimit(first: max(8, servers), most: 65_536) }

    /// Puts an element at the end.
    package mutating func append(_ element: Element) { waiting.append(element) }

    /// The next element, if it may begin now.
    package mutating func take() -> Element? {
        guard active < limit.current else { return nil }
        return takeUnlimited()
    }

    /// The next element, however much is under way.
    package mutating func takeUnlimited() -> Element? {
        guard first < waiting.count else { return nil }
        let element = waiting[first]
        first += 1
        active += 1
        if first == waiting.count {
            waiting.removeAll(keepingCapacity: first <= 1_024)
            first = 0
        } else if first >= 1_024, first >= waiting.count / 2 {
            waiting.removeFirst(first)
            first = 0
        }
        return element
    }

    /// An element is over, or did not begin: then `course` is nil, as it is if its course says nothing of the servers' speed.
    package mutating func release(_ course: Course?, at now: UInt64) {
        active = max(0, active - 1)
        switch course {
        case .done(let start): limit.noteDone(from: start, at: now)
        case .timedOut(let start): limit.noteTimedOut(from: start, at: now)
        case nil: break
        }
    }
}

extension AdaptiveQueue: Sendable where Element: Sendable {}
extension AdaptiveQueue.Course: Sendable {}
