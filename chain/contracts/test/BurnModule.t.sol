// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {BurnModule} from "src/BurnModule.sol";
import {PALM} from "src/PALM.sol";
import {Kit} from "./Kit.sol";

contract BurnModuleTest is Kit {
    PALM private palm;
    BurnModule private module;
    address private constant TREASURY = address(0x11);
    address private constant ADMIN = address(0xad);
    address private constant BURNER = address(0xbb);
    bytes32 private constant ID = bytes32(uint256(0x1d));
    bytes32 private constant ROOT = bytes32(uint256(0x7007));
    uint256 private constant LIMIT = 1_000_000e9;
    uint256 private constant NOON = 20_000 days + 12 hours;

    function setUp() public {
        palm = new PALM(TREASURY, address(0x22));
        module = new BurnModule(palm, TREASURY, ADMIN, BURNER, LIMIT);
        vm.prank(TREASURY);
        palm.approve(address(module), type(uint256).max);
        vm.warp(NOON);
    }

    function _burn(bytes32 id, uint256 amount) private {
        vm.prank(BURNER);
        module.burn(id, amount, ROOT);
    }

    function test_burn_burns_and_tells() public {
        vm.roll(77);
        vm.expectEmit(address(module));
        emit BurnModule.BatchBurned(ID, ROOT, 5e9, 20_000);
        vm.expectEmit(address(palm));
        emit IERC20.Transfer(TREASURY, address(0), 5e9);
        _burn(ID, 5e9);
        BurnModule.Batch memory b = module.batch(ID);
        vm.assertEq(b.amount, 5e9, "amount");
        vm.assertEq(b.root, ROOT, "root");
        vm.assertEq(b.blockNumber, 77, "block");
        vm.assertEq(b.timestamp, NOON, "time");
        vm.assertEq(palm.totalBurned(), 20_000_000e9 + 5e9, "burned of PALM");
        vm.assertEq(palm.balanceOf(TREASURY), 75_000_000e9 - 5e9, "the treasury paid");
        vm.assertEq(module.totalBurned(), 5e9, "burned here");
        vm.assertEq(module.batchCount(), 1, "batches");
        vm.assertEq(module.burnedToday(), 5e9, "today");
        vm.assertEq(module.leftToday(), LIMIT - 5e9, "left");
        vm.assertEq(palm.balanceOf(address(module)), 0, "it holds nothing");
    }

    function testFuzz_an_id_burns_once(bytes32 id, uint256 amount, uint256 again, bytes32 root, uint256 later) public {
        vm.assume(id != 0);
        amount = within(amount, 1, LIMIT);
        _burn(id, amount);
        vm.warp(NOON + within(later, 0, 3650 days));
        vm.expectRevert(abi.encodeWithSelector(BurnModule.AlreadyBurned.selector, id, amount, ROOT));
        vm.prank(BURNER);
        module.burn(id, again, root);
        vm.assertEq(module.totalBurned(), amount, "nothing more");
    }

    function testFuzz_only_the_burner_burns(address caller) public {
        vm.assume(caller != BURNER);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.NotBurner.selector, caller));
        vm.prank(caller);
        module.burn(ID, 1, ROOT);
    }

    function test_burn_refuses_what_is_empty() public {
        bytes32[3] memory ids = [bytes32(0), ID, ID];
        uint256[3] memory amounts = [uint256(1), 0, 1];
        bytes32[3] memory roots = [ROOT, ROOT, bytes32(0)];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(BurnModule.EmptyBatch.selector, ids[i], amounts[i], roots[i]));
            vm.prank(BURNER);
            module.burn(ids[i], amounts[i], roots[i]);
        }
    }

    function test_a_burn_without_tokens_or_allowance_leaves_the_id_free() public {
        vm.prank(TREASURY);
        palm.approve(address(module), 1);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(module), 1, 2));
        _burn(ID, 2);
        vm.assertEq(module.batch(ID).amount, 0, "not burned");
        vm.assertEq(module.burnedToday(), 0, "not counted");
        vm.prank(TREASURY);
        palm.approve(address(module), 2);
        _burn(ID, 2);
    }

    function testFuzz_day_limit(uint256 first, uint256 second) public {
        first = within(first, 1, LIMIT);
        second = within(second, LIMIT - first + 1, type(uint256).max - 1);
        _burn(ID, first);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.OverDayLimit.selector, second, LIMIT - first));
        _burn("other", second);
        vm.warp(NOON + 12 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.OverDayLimit.selector, second, LIMIT - first));
        _burn("other", second);
        vm.warp(NOON + 12 hours);                // midnight
        vm.assertEq(module.burnedToday(), 0, "a new day");
        _burn("other", LIMIT);
        vm.assertEq(module.leftToday(), 0, "nothing left");
    }

    function test_a_lower_limit_counts_for_today_too() public {
        _burn(ID, 100);
        vm.expectEmit(address(module));
        emit BurnModule.DayLimitChanged(LIMIT, 60);
        vm.prank(ADMIN);
        module.setDayLimit(60);
        vm.assertEq(module.leftToday(), 0, "left");
        vm.expectRevert(abi.encodeWithSelector(BurnModule.OverDayLimit.selector, 1, 0));
        _burn("other", 1);
    }

    function test_limit_has_a_bound() public {
        uint256 max = module.DAY_LIMIT_MAX();
        vm.expectRevert(abi.encodeWithSelector(BurnModule.OverDayLimitMax.selector, max + 1, max));
        vm.prank(ADMIN);
        module.setDayLimit(max + 1);
        vm.prank(ADMIN);
        module.setDayLimit(max);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, TREASURY, 75_000_000e9, max));
        _burn(ID, max);
    }

    function test_pause() public {
        vm.prank(ADMIN);
        module.pause();
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        _burn(ID, 1);
        vm.prank(ADMIN);
        module.unpause();
        _burn(ID, 1);
    }

    function testFuzz_only_the_admin_administers(address caller) public {
        vm.assume(caller != ADMIN);
        bytes[6] memory calls = [
            abi.encodeCall(BurnModule.pause, ()),
            abi.encodeCall(BurnModule.unpause, ()),
            abi.encodeCall(BurnModule.setDayLimit, (1)),
            abi.encodeCall(BurnModule.setBurner, (address(1))),
            abi.encodeCall(Ownable2Step.transferOwnership, (caller)),
            abi.encodeCall(Ownable.renounceOwnership, ())
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            vm.prank(caller);
            (bool done, bytes memory reason) = address(module).call(calls[i]);
            vm.assertTrue(!done && selectorOf(reason) == Ownable.OwnableUnauthorizedAccount.selector, "refused");
        }
    }

    function test_a_new_burner_replaces_the_old_one() public {
        vm.expectEmit(address(module));
        emit BurnModule.BurnerChanged(BURNER, address(0xb2));
        vm.prank(ADMIN);
        module.setBurner(address(0xb2));
        vm.expectRevert(abi.encodeWithSelector(BurnModule.NotBurner.selector, BURNER));
        _burn(ID, 1);
        vm.prank(address(0xb2));
        module.burn(ID, 1, ROOT);
    }

    function test_a_new_admin_must_accept() public {
        vm.prank(ADMIN);
        module.transferOwnership(address(0xa2));
        vm.assertEq(module.owner(), ADMIN, "not yet");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, BURNER));
        vm.prank(BURNER);
        module.acceptOwnership();
        vm.prank(address(0xa2));
        module.acceptOwnership();
        vm.assertEq(module.owner(), address(0xa2), "now");
    }

    function test_there_is_always_an_admin() public {
        vm.expectRevert(abi.encodeWithSelector(BurnModule.OwnerNeeded.selector));
        vm.prank(ADMIN);
        module.renounceOwnership();
    }

    function test_roles_stay_apart() public {
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, ADMIN));
        vm.prank(ADMIN);
        module.setBurner(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, address(0)));
        vm.prank(ADMIN);
        module.setBurner(address(0));
        vm.prank(ADMIN);
        module.transferOwnership(BURNER);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, BURNER));
        vm.prank(BURNER);
        module.acceptOwnership();
    }

    function test_constructor_refuses_nonsense() public {
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, address(0)));
        new BurnModule(palm, address(0), ADMIN, BURNER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, address(0x99)));
        new BurnModule(ERC20Burnable(address(0x99)), TREASURY, ADMIN, BURNER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new BurnModule(palm, TREASURY, address(0), BURNER, LIMIT);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, address(0)));
        new BurnModule(palm, TREASURY, ADMIN, address(0), LIMIT);
        vm.expectRevert(abi.encodeWithSelector(BurnModule.UnfitForRole.selector, ADMIN));
        new BurnModule(palm, TREASURY, ADMIN, ADMIN, LIMIT);
    }

    // Trees of every small shape: each accrual is proven, and nothing that was changed by a bit.
    function testFuzz_proofs(uint256 count, uint256 which, uint256 seed) public {
        count = within(count, 1, 40);
        which = within(which, 0, count - 1);
        bytes32[] memory node = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; i++) {
            node[count - 1 + i] = keccak256(bytes.concat(keccak256(abi.encode(i, seed % 1e17, keccak256(abi.encode(seed, i))))));
        }
        for (uint256 i = count - 1; i > 0; i--) node[i - 1] = _pair(node[2 * i - 1], node[2 * i]);
        bytes32[] memory proof = _proof(node, count - 1 + which);
        bytes32 reason = keccak256(abi.encode(seed, which));

        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17, reason, proof), "before the burn");
        vm.prank(BURNER);
        module.burn(ID, 1, node[0]);
        vm.assertTrue(module.provesAccrual(ID, which, seed % 1e17, reason, proof), "proven");
        vm.assertTrue(module.proves(ID, module.accrualBytes(which, seed % 1e17, reason), proof), "proven by its bytes");
        vm.assertTrue(!module.provesAccrual(ID, which + 1, seed % 1e17, reason, proof), "another number");
        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17 + 1, reason, proof), "another amount");
        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17, ~reason, proof), "another reason");
        vm.assertTrue(!module.provesAccrual("other", which, seed % 1e17, reason, proof), "another batch");
        if (count == 1) return;
        vm.assertTrue(!module.proves(ID, abi.encodePacked(node[1], node[2]), new bytes32[](0)), "an inner node is no leaf");
        proof[0] ^= bytes32(uint256(1));
        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17, reason, proof), "another proof");
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }

    function _proof(bytes32[] memory node, uint256 leaf) private pure returns (bytes32[] memory proof) {
        uint256 depth = 0;
        for (uint256 i = leaf; i > 0; i = (i - 1) / 2) depth++;
        proof = new bytes32[](depth);
        for ((uint256 i, uint256 n) = (leaf, 0); i > 0; i = (i - 1) / 2) proof[n++] = node[i % 2 == 1 ? i + 1 : i - 1];
    }
}

// Everybody does everything in any order, and this model says beforehand what has to come of it.
contract BurnHandler is Kit {
    PALM public palm;
    BurnModule public module;
    address public constant TREASURY = address(0x11);
    address[] public people;
    bytes32[] public ids;

    mapping(bytes32 id => uint256) public amountOf;
    mapping(bytes32 id => bytes32) public rootOf;
    mapping(bytes32 id => uint256) public timesBurned;
    mapping(uint256 day => uint256) public burnedOn;
    uint256 public burned;
    uint256 public batches;
    address public owner;
    address public pending;
    address public burner;
    uint256 public limit = 1000;
    bool public paused;
    uint256 public time = 20_000 days;

    constructor() {
        palm = new PALM(TREASURY, address(0x22));
        for (uint256 i = 1; i <= 4; i++) people.push(address(uint160(0xa0 + i)));
        for (uint256 i = 1; i <= 24; i++) ids.push(bytes32(i));
        (owner, burner) = (people[0], people[1]);
        module = new BurnModule(palm, TREASURY, owner, burner, limit);
        vm.prank(TREASURY);
        palm.approve(address(module), type(uint256).max);
        vm.warp(time);
    }

    function burn(uint256 by, uint256 no, uint256 amount, bytes32 root) external {
        address caller = by % 4 == 0 ? people[by / 4 % people.length] : burner;     // mostly the right one
        bytes32 id = ids[no % ids.length];
        amount = within(amount, 0, 600);
        uint256 today = burnedOn[_day()];
        bool due = caller == burner && !paused && amountOf[id] == 0 && amount > 0 && root != 0 && today + amount <= limit;
        uint256 supply = palm.totalSupply();
        vm.prank(caller);
        try module.burn(id, amount, root) {
            vm.assertTrue(due, "burned what should have been refused");
            vm.assertEq(supply - palm.totalSupply(), amount, "exactly this was burned");
            timesBurned[id]++;
            (amountOf[id], rootOf[id]) = (amount, root);
            burnedOn[_day()] += amount;
            burned += amount;
            batches++;
            vm.assertLe(burnedOn[_day()], limit, "the limit of the day");
        } catch {
            vm.assertTrue(!due, "refused what was due");
            vm.assertEq(supply, palm.totalSupply(), "nothing was burned");
        }
    }

    function pass_time(uint256 s) external {
        time += within(s, 1, 5 hours);
        vm.warp(time);
    }

    function set_limit(uint256 by, uint256 next) external {
        next = within(next, 0, 1500);
        vm.prank(_who(by));
        try module.setDayLimit(next) {
            vm.assertEq(_who(by), owner, "only the owner sets the limit");
            limit = next;
        } catch {
            vm.assertTrue(_who(by) != owner, "the owner may");
        }
    }

    function set_pause(uint256 by, bool on) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(on ? abi.encodeCall(module.pause, ()) : abi.encodeCall(module.unpause, ()));
        vm.assertTrue(done == (_who(by) == owner && on != paused), "the owner pauses what runs");
        if (done) paused = on;
    }

    function set_burner(uint256 by, uint256 next) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(abi.encodeCall(module.setBurner, (_who(next))));
        vm.assertTrue(done == (_who(by) == owner && _who(next) != owner), "the owner names another");
        if (done) burner = _who(next);
    }

    function hand_over(uint256 by, uint256 to) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(abi.encodeCall(module.transferOwnership, (_who(to))));
        vm.assertTrue(done == (_who(by) == owner), "the owner hands over");
        if (done) pending = _who(to);
    }

    function accept(uint256 by) external {
        vm.prank(_who(by));
        (bool done,) = address(module).call(abi.encodeCall(module.acceptOwnership, ()));
        vm.assertTrue(done == (_who(by) == pending && _who(by) != burner), "who was named accepts");
        if (done) (owner, pending) = (pending, address(0));
    }

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    function _who(uint256 no) private view returns (address) {
        return people[no % people.length];
    }

    function _day() private view returns (uint256) {
        return time / 1 days;
    }
}

contract BurnModuleInvariants is Kit {
    BurnHandler private handler;
    BurnModule private module;

    function setUp() public {
        handler = new BurnHandler();
        module = handler.module();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory list) {
        bytes4[] memory s = new bytes4[](10);        // burns more often than the rest
        (s[0], s[1], s[2], s[3]) = (handler.burn.selector, handler.burn.selector, handler.burn.selector, handler.burn.selector);
        (s[4], s[5], s[6]) = (handler.pass_time.selector, handler.set_limit.selector, handler.set_pause.selector);
        (s[7], s[8], s[9]) = (handler.set_burner.selector, handler.hand_over.selector, handler.accept.selector);
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), s);
    }

    // One run for all promises: what takes time is the sequence, not the looking.
    function invariant_burns() public view {
        _a_batch_burns_at_most_once();
        _the_token_burned_what_the_module_says();
        _the_day_limit_holds();
        _roles_stay_apart();
    }

    function _a_batch_burns_at_most_once() private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < handler.idCount(); i++) {
            bytes32 id = handler.ids(i);
            vm.assertLe(handler.timesBurned(id), 1, "once");
            vm.assertEq(module.batch(id).amount, handler.amountOf(id), "the first burn's amount");
            vm.assertEq(module.batch(id).root, handler.rootOf(id), "the first burn's root");
            sum += module.batch(id).amount;
        }
        vm.assertEq(sum, module.totalBurned(), "the batches are all that was burned");
        vm.assertEq(module.batchCount(), handler.batches(), "the batches are counted");
    }

    function _the_token_burned_what_the_module_says() private view {
        PALM palm = handler.palm();
        vm.assertEq(module.totalBurned(), handler.burned(), "the model agrees");
        vm.assertEq(palm.totalBurned(), palm.BURNED_AT_LAUNCH() + module.totalBurned(), "PALM agrees");
        vm.assertEq(palm.totalSupply() + palm.totalBurned(), palm.CAP(), "supply + burned = cap");
        vm.assertEq(palm.balanceOf(address(module)), 0, "the module holds nothing");
    }

    function _the_day_limit_holds() private view {
        uint256 today = handler.burnedOn(handler.time() / 1 days);
        vm.assertEq(module.burnedToday(), today, "today, which never went over the limit of its time: the handler saw to it");
        vm.assertEq(module.leftToday(), today < handler.limit() ? handler.limit() - today : 0, "left");
    }

    function _roles_stay_apart() private view {
        vm.assertEq(module.owner(), handler.owner(), "owner");
        vm.assertEq(module.burner(), handler.burner(), "burner");
        vm.assertTrue(module.owner() != module.burner() && module.owner() != address(0), "two people");
    }
}
