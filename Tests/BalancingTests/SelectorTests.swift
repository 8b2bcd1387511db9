import Balancing
import Testing
